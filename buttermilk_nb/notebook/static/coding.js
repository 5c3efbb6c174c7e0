// The page on which a person codes. Text is set as text nodes only: nothing that a record, a model or a coder wrote is
// ever HTML. Elements are built once and then updated: a button that is replaced under the mouse loses its click.

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) node.append(child instanceof Node ? child : document.createTextNode(child ?? ""));
  return node;
}

const MOVES = ["next", "back", "skip", "undo", "go_to"]; // actions that show another text

const KEYS = [
  ["1-9, 0", "choose the answer with that key"],
  ["↓ ↑", "go to the next or previous question"],
  ["→ or Enter", "go to the next text"],
  ["←", "go to the previous text"],
  ["m", "mark the selected words for the question that you answered last"],
  ["r", "write reasons for the question that you answered last (Esc leaves the field)"],
  ["n", "write a note on the question that you answered last (Esc leaves the field)"],
  ["s", "skip the questions without an answer and go to the next text"],
  ["u", "undo"],
  ["Page ↓ ↑", "scroll the text"],
  ["?", "show or hide this help"],
];

const SAVE_AFTER_MS = 1000; // what is typed is sent after this pause

// Positions in the text are counted in characters, as Python does, and not in UTF-16 units.
const characterCount = (text) => [...text].length;

function selectedSpan(root) {
  const selection = root.ownerDocument.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  if (!root.contains(range.startContainer) || !root.contains(range.endContainer)) return null;
  const before = root.ownerDocument.createRange();
  before.setStart(root, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const start = characterCount(before.toString());
  return { start, end: start + characterCount(range.toString()) };
}

// The text in parts; the passages that are marked are <mark> elements.
function markedParts(content, ownSpans, otherSpans) {
  const text = [...content];
  const edges = [...new Set([0, text.length, ...[...ownSpans, ...otherSpans].flatMap((span) => [span.start, span.end])])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, i) => {
    const part = text.slice(start, edges[i + 1]).join("");
    const covers = (span) => span.start <= start && edges[i + 1] <= span.end;
    if (ownSpans.some(covers)) return make("mark", {}, part);
    return otherSpans.some(covers) ? make("mark", { class: "other", title: "marked for another question" }, part) : part;
  });
}

// As in exported files: a value that a spreadsheet would run as a formula gets an apostrophe.
function csvCell(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (/^'*[=+\-@\t\r＝＋－＠]/.test(text) && !/^'*[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

function toCsv(columns, rows) {
  return [columns, ...rows].map((row) => row.map(csvCell).join(",") + "\r\n").join("");
}

export default () => {
  // Shared by all views of one form. The codes are stored here too, so that they can be saved without the kernel.
  const codes = new Map();
  let nSent = 0;

  function initialize({ model }) {
    const storeCodes = () => {
      for (const [key, row] of model.get("codes")) row ? codes.set(key, row) : codes.delete(key);
    };
    storeCodes();
    nSent = model.get("view").n_handled;
    model.on("change:codes", storeCodes);
    return () => model.off("change:codes", storeCodes);
  }

  function render({ model, el }) {
    let focus = ""; // the criterion whose card has the keys
    let answered = ""; // the criterion that was answered last, while the focus has only moved on by itself
    let waitingKeys = []; // keys that were pressed before the kernel had answered
    const unsent = new Map(); // fields with text that is not sent yet, and how to send it
    let lastMove = 0; // the number of the last message that goes to another text
    let shownPlace = null;
    let shownText = ""; // the text on the page with its marks, as JSON
    let cards = new Map();
    let questions = null;
    const view = () => model.get("view");

    function send(action, details = {}) {
      if (MOVES.includes(action)) sendTyped();
      nSent += 1;
      if (MOVES.includes(action)) {
        lastMove = nSent;
        for (const { reasons, note } of cards.values()) reasons.readOnly = note.readOnly = true; // of a text that leaves
      }
      model.send({ action, n: nSent, place: view().place, ...details });
      root.classList.add("waiting");
    }
    const isReady = () => view().n_handled >= lastMove;
    const sendTyped = () => {
      for (const sendField of [...unsent.values()]) sendField();
    };
    const target = () => (cards.has(answered) ? answered : focus);

    // --- elements that are built once
    const line = make("div", { class: "quiet line" });
    const bar = make("progress", { "aria-label": "texts done" });
    const status = make("div", { class: "status", role: "status" });
    const problem = make("div", { class: "problem", role: "alert" });
    const text = make("div", { class: "text", dir: "auto", tabindex: "-1" });
    const images = make("div", { class: "images" });
    const veil = make("div", { class: "veil" });
    const recordId = make("span", { class: "quiet" });
    const questionList = make("div", { class: "questions" });
    const criteriaTexts = make("div");
    let shownCriteria = ""; // as JSON
    const criteria = make("details", { open: true, hidden: true }, make("summary", {}, "The criteria, as the judges read them"), criteriaTexts);
    const help = make("table", { class: "help", hidden: true }, ...KEYS.map(([key, effect]) => make("tr", {}, make("th", {}, key), make("td", {}, effect))));
    const button = (label, key, onClick, props = {}) =>
      make("button", { type: "button", title: key ? `key: ${key}` : null, ...props, on: { click: onClick, ...(props.on ?? {}) } }, label, key ? make("kbd", {}, key) : "");
    const markSelection = () => {
      const span = selectedSpan(text);
      if (!span) return void (problem.textContent = "Select some words of the text first, then mark them.");
      send("mark", { criterion: target(), ...span });
      text.ownerDocument.getSelection().removeAllRanges();
    };
    const keepSelection = { mousedown: (event) => event.preventDefault() };
    const markButton = button("Mark selection", "m", markSelection, { on: keepSelection });
    const backButton = button("Back", "←", () => send("back"));
    const skipButton = button("Skip", "s", () => send("skip"));
    const undoButton = button("Undo", "u", () => send("undo"));
    const nextButton = button("Next", "→", () => send("next"), { class: "main" });
    const toggleHelp = () => {
      help.hidden = !help.hidden;
    };
    const downloadButton = button(model.get("download"), "", saveFile);
    const root = make(
      "div",
      { class: "bmnb-c", tabindex: "0", "data-lm-suppress-shortcuts": "true", role: "group", "aria-label": model.get("heading"), on: { keydown: onKey } },
      make("div", { class: "head" }, make("b", {}, model.get("heading")), line, bar, button("Keys", "?", toggleHelp), downloadButton),
      help,
      problem,
      status,
      make("div", { class: "split" }, make("div", {}, make("div", { class: "tools" }, recordId, markButton), veil, images, text), make("div", {}, criteria, questionList)),
      make("div", { class: "foot" }, backButton, skipButton, undoButton, make("span", { class: "hint quiet" }, "click here to use the keys"), make("span", { class: "saving quiet" }, "saving …"), nextButton),
    );
    el.append(root);

    function saveFile() {
      const link = make("a", { href: "data:text/csv;charset=utf-8," + encodeURIComponent("\ufeff" + toCsv(model.get("columns"), [...codes.values()])), download: model.get("file") });
      root.append(link);
      link.click();
      link.remove();
    }

    // --- one card per question
    function makeCard(question) {
      const definition = [
        ...(question.definition ? [make("p", {}, question.definition)] : []),
        ...question.include.map((item) => make("p", {}, make("b", {}, "Counts: "), item)),
        ...question.exclude.map((item) => make("p", {}, make("b", {}, "Does not count: "), item)),
        ...question.examples.map(([answer, example]) => make("p", {}, make("b", {}, `Example of “${answer}”: `), example)),
      ];
      const choose = (option) => () => {
        focusOn(question.name);
        answered = question.name;
        if (option.toggle) send("toggle", { criterion: question.name, value: option.answer });
        else send("answer", { criterion: question.name, value: option.answer });
      };
      const buttons = question.options.map((option) =>
        make("button", { type: "button", class: "answer", "aria-pressed": "false", "aria-label": option.label, "aria-keyshortcuts": option.key || null, on: { click: choose(option) } }, option.key && option.key !== option.answer ? make("kbd", {}, option.key) : "", option.label),
      );
      const parts = { buttons };
      const number = question.number;
      if (number) {
        const sendNumber = (event) => {
          if (event.target.value === "") return;
          answered = question.name;
          send("answer", { criterion: question.name, value: Number(event.target.value) });
        };
        parts.slider = make("input", { type: "range", min: number.low, max: number.high, step: number.step, "aria-label": question.question, on: { change: sendNumber, input: (event) => (parts.number.value = event.target.value) } });
        parts.number = make("input", { type: "number", min: number.low, max: number.high, step: "any", "aria-label": question.question, on: { change: sendNumber } });
      }
      // What is typed is sent after a pause, when the field or the page is left, and before another text is shown.
      const textField = (action, label, rows) => {
        const field = make("textarea", { rows, "aria-label": `${label}: ${question.question}`, placeholder: label });
        let timer = 0;
        const sendField = () => {
          clearTimeout(timer);
          if (unsent.delete(field)) send(action, { criterion: question.name, value: field.value });
        };
        field.addEventListener("input", () => {
          unsent.set(field, sendField);
          clearTimeout(timer);
          timer = setTimeout(sendField, SAVE_AFTER_MS);
        });
        field.addEventListener("change", sendField);
        return field;
      };
      parts.reasons = textField("reasons", model.get("reasons_label"), 2);
      parts.note = textField("note", "Note", 1);
      parts.spans = make("ul", { class: "spans" });
      parts.otherAnswers = make("div", { class: "other-answers" });
      parts.summary = make("div", { class: "summary quiet" });
      parts.state = make("span", { class: "state quiet" });
      parts.node = make(
        "section",
        // not on mousedown: the cards change their height, and the click would miss its button
        { class: "card", role: "group", "aria-label": question.question, on: { click: (event) => event.target.closest(".answer") || focusOn(question.name), keyup: (event) => event.key === "Tab" && focusOn(question.name) } },
        make("div", { class: "question" }, question.question, parts.state),
        ...(definition.length ? [make("details", {}, make("summary", {}, "Definition and examples"), ...definition)] : []),
        ...(number ? [make("div", { class: "number" }, make("span", { class: "quiet" }, String(number.low)), parts.slider, make("span", { class: "quiet" }, String(number.high)), parts.number)] : []),
        make("div", { class: "answers" + (question.level ? " level" : ""), role: "group", "aria-label": `Answers: ${question.question}` }, ...buttons),
        parts.spans,
        parts.summary,
        make("div", { class: "fields" }, parts.reasons, ...(model.get("with_notes") ? [parts.note] : [])),
        parts.otherAnswers,
      );
      return parts;
    }

    function labelMarks() {
      markButton.firstChild.textContent = questions.length > 1 ? `Mark selection for “${target()}”` : "Mark selection";
    }

    function focusOn(criterion, byItself = false) {
      if (!byItself) answered = "";
      labelMarks();
      if (focus === criterion || !cards.has(criterion)) return;
      focus = criterion;
      drawCards();
      drawText();
    }

    // --- updates
    function drawText() {
      const { content, drafts, hidden, place } = view();
      const ownSpans = drafts[focus]?.spans ?? [];
      const otherSpans = Object.keys(drafts).flatMap((criterion) => (criterion === focus ? [] : drafts[criterion].spans));
      const newText = JSON.stringify([place, hidden, content, ownSpans, otherSpans]);
      if (newText === shownText) return;
      if (shownPlace !== place) text.scrollTop = 0;
      shownText = newText;
      text.replaceChildren(...markedParts(content, ownSpans, otherSpans));
    }

    // The prose of each document, under its name if there are several.
    function drawCriteria(texts) {
      if (shownCriteria === JSON.stringify(texts)) return;
      shownCriteria = JSON.stringify(texts);
      criteria.hidden = !texts.some(([, prose]) => prose);
      const block = ([name, prose]) => [...(texts.length > 1 ? [make("div", { class: "document" }, name)] : []), make("div", { class: "criteria", dir: "auto" }, prose)];
      criteriaTexts.replaceChildren(...texts.filter(([, prose]) => prose).flatMap(block));
    }

    function drawCards() {
      const { drafts, other_answers, hidden } = view();
      for (const question of questions) {
        const parts = cards.get(question.name);
        const draft = drafts[question.name];
        parts.node.classList.toggle("focused", question.name === focus);
        parts.node.setAttribute("aria-current", String(question.name === focus));
        parts.state.textContent = draft.state;
        question.options.forEach((option, i) => {
          parts.buttons[i].setAttribute("aria-pressed", String(draft.selected.includes(option.answer)));
          parts.buttons[i].disabled = hidden;
        });
        const fill = (input, value) => {
          const isTyped = input && (input.getRootNode().activeElement === input || unsent.has(input));
          if (input && !isTyped && input.value !== value) input.value = value;
        };
        fill(parts.reasons, draft.reasons);
        fill(parts.note, draft.notes);
        parts.summary.textContent = [draft.reasons, draft.notes].filter(Boolean).join("\n");
        if (question.number) {
          fill(parts.number, draft.number);
          fill(parts.slider, draft.number || String((question.number.low + question.number.high) / 2));
          parts.number.disabled = parts.slider.disabled = hidden;
          parts.slider.classList.toggle("unset", draft.number === "");
        }
        const unmark = (span) => () => send("unmark", { criterion: question.name, start: span.start, end: span.end });
        parts.spans.replaceChildren(
          ...draft.spans.map((span) => make("li", {}, `“${span.text}” `, make("button", { type: "button", class: "unmark", "aria-label": "remove this mark", on: { click: unmark(span) } }, "×"))),
        );
        const answers = other_answers.filter((answer) => answer.criterion === question.name);
        parts.otherAnswers.replaceChildren(
          ...answers.map((answer) =>
            make(
              "div",
              { class: "other-answer" },
              make("div", {}, make("b", {}, answer.answer), make("span", { class: "quiet" }, " " + answer.coder)),
              make("ul", {}, ...answer.reasons.map((reason) => make("li", {}, reason))),
              answer.conclusion ? make("div", { class: "quiet" }, answer.conclusion) : "",
            ),
          ),
        );
      }
    }

    // Nothing moves while a mouse button is down: an element that moves under the mouse loses its click.
    let isPressed = false;
    let isDrawPending = false;
    const onPointerDown = () => (isPressed = true);
    function onPointerUp() {
      isPressed = false;
      if (isDrawPending) setTimeout(draw); // after the click
    }

    function draw() {
      isDrawPending = isPressed;
      if (isDrawPending) return;
      const current = view();
      const activeElement = () => root.getRootNode().activeElement;
      const hasFocus = root.contains(activeElement());
      if (questions !== model.get("questions")) {
        questions = model.get("questions");
        cards = new Map(questions.map((question) => [question.name, makeCard(question)]));
        const heading = (question, i) => (question.document && question.document !== questions[i - 1]?.document ? [make("div", { class: "document" }, question.document)] : []);
        questionList.replaceChildren(...questions.flatMap((question, i) => [...heading(question, i), cards.get(question.name).node]));
        shownText = "";
      }
      if (shownPlace !== current.place || !cards.has(focus)) {
        const unanswered = questions.find((question) => !current.drafts[question.name].is_saved) ?? questions[0];
        focus = unanswered.name;
        answered = "";
        // text that was being typed belongs to the previous record, and was sent before this one was shown
        if (shownPlace !== null && hasFocus) root.focus({ preventScroll: true });
      }
      line.textContent = current.line;
      bar.max = current.total;
      bar.value = current.done;
      recordId.textContent = current.record_id;
      drawCriteria(current.criteria_texts ?? []);
      problem.textContent = current.message;
      const openTexts = (current.open ?? []).map((place) => button(`Text ${place + 1}`, "", () => send("go_to", { to: place })));
      status.replaceChildren(current.status, ...openTexts, ...(current.break_due ? [button("Go on", "", () => send("dismiss_break"))] : []));
      veil.replaceChildren(...(current.hidden ? [make("p", {}, current.content_note), button("Show this text", "", () => send("show_text"))] : []));
      text.hidden = current.hidden;
      markButton.disabled = current.hidden || !current.content;
      images.replaceChildren(...current.images.map((source) => make("img", { src: source, alt: "image of this record" })));
      backButton.disabled = current.is_first;
      nextButton.disabled = current.is_last;
      undoButton.disabled = !current.can_undo;
      skipButton.hidden = !current.can_skip;
      root.classList.toggle("waiting", current.n_handled < nSent);
      labelMarks();
      for (const { reasons, note } of cards.values()) reasons.readOnly = note.readOnly = !isReady();
      drawText();
      drawCards();
      shownPlace = current.place;
      while (waitingKeys.length && isReady()) pressKey(waitingKeys.shift());
      // if the focused button disappeared or was disabled, it would swallow the keys
      if (hasFocus && (!root.contains(activeElement()) || activeElement().disabled)) root.focus({ preventScroll: true });
    }

    // --- keys
    function onKey(event) {
      event.stopPropagation(); // a notebook in command mode would delete cells
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target;
      const isTyping = target.matches("textarea, input");
      if (event.key === "Escape" || (isTyping && event.key === "Enter" && target.tagName === "INPUT")) return root.focus({ preventScroll: true });
      if (isTyping || (target.matches("button, summary") && (event.key === "Enter" || event.key === " "))) return;
      if (!isReady()) {
        waitingKeys.push(event.key); // pressed again, in order, as soon as the text is there that they are meant for
        return event.preventDefault();
      }
      if (pressKey(event.key)) event.preventDefault();
    }

    // Returns whether the key was used.
    function pressKey(key) {
      const parts = cards.get(focus);
      const question = questions.find((item) => item.name === focus);
      const writeIn = (field) => {
        const criterion = target();
        focusOn(criterion);
        cards.get(criterion)[field].focus();
      };
      const scrollShares = { PageDown: 0.9, PageUp: -0.9 };
      if (/^[0-9]$/.test(key)) {
        const i = question.options.findIndex((option) => option.key === key);
        if (i >= 0) parts.buttons[i].click();
        else if (question.number && !view().hidden) {
          parts.number.value = key;
          parts.number.focus();
        } else return false;
        if (i >= 0 && !question.options[i].toggle) moveFocus(1, true);
      } else if (key === "ArrowRight" || key === "Enter") view().is_last || send("next");
      else if (key === "ArrowLeft") view().is_first || send("back");
      else if (key === "ArrowDown" || key === "ArrowUp") return moveFocus(key === "ArrowDown" ? 1 : -1, false);
      else if (key in scrollShares) text.scrollBy(0, scrollShares[key] * text.clientHeight);
      else if (key === "u") view().can_undo && send("undo");
      else if (key === "s") view().can_skip && send("skip");
      else if (key === "m") markButton.disabled || markSelection();
      else if (key === "r") writeIn("reasons");
      else if (key === "n" && model.get("with_notes")) writeIn("note");
      else if (key === "?") toggleHelp();
      else return false;
      return true;
    }

    // Go to the next (1) or previous (-1) question. With onlyUnanswered, skip the questions that have an answer.
    function moveFocus(direction, onlyUnanswered) {
      const index = questions.findIndex((question) => question.name === focus);
      const candidates = direction > 0 ? questions.slice(index + 1) : questions.slice(0, index).reverse();
      const next = onlyUnanswered ? candidates.find((question) => !view().drafts[question.name].is_saved) : candidates[0];
      if (!next) return questions.length > 1;
      focusOn(next.name, onlyUnanswered);
      cards.get(next.name).node.scrollIntoView({ block: "nearest" });
      return true;
    }

    const page = el.ownerDocument;
    model.on("change:view", draw);
    root.addEventListener("pointerdown", onPointerDown);
    for (const event of ["pointerup", "pointercancel"]) page.addEventListener(event, onPointerUp, true);
    const window = page.defaultView;
    const onHidden = () => page.visibilityState === "hidden" && sendTyped();
    page.addEventListener("visibilitychange", onHidden);
    window.addEventListener("pagehide", sendTyped);
    draw();
    return () => {
      sendTyped();
      page.removeEventListener("visibilitychange", onHidden);
      window.removeEventListener("pagehide", sendTyped);
      model.off("change:view", draw);
      for (const event of ["pointerup", "pointercancel"]) page.removeEventListener(event, onPointerUp, true);
    };
  }

  return { initialize, render };
};
