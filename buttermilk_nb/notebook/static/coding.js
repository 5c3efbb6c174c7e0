// The page on which a person codes. Text is set as text nodes only: nothing that a record, a model or a coder wrote is
// ever HTML. What is built once stays: a button that is replaced under the mouse loses its click.

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) node.append(child instanceof Node ? child : document.createTextNode(child ?? ""));
  return node;
}

const KEYS = [
  ["1-9, 0", "choose the answer with that key"],
  ["↓ ↑", "next or previous question"],
  ["→ or Enter", "next text"],
  ["←", "previous text"],
  ["m", "mark the selected words"],
  ["r, n", "write reasons, a note; Esc goes back"],
  ["s", "skip what is not answered, and go on"],
  ["u", "undo"],
  ["Page ↓ ↑", "scroll the text"],
  ["?", "show or hide this help"],
];

// Places in the text are counted in characters, as Python does, and not in UTF-16 units.
const characters = (text) => [...text].length;

function selected(root) {
  const selection = root.ownerDocument.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  if (!root.contains(range.startContainer) || !root.contains(range.endContainer)) return null;
  const before = root.ownerDocument.createRange();
  before.setStart(root, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const start = characters(before.toString());
  return { start, end: start + characters(range.toString()) };
}

function withMarks(content, own, others) {
  const text = [...content];
  const edges = [...new Set([0, text.length, ...[...own, ...others].flatMap((span) => [span.start, span.end])])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, i) => {
    const part = text.slice(start, edges[i + 1]).join("");
    const inside = (span) => span.start <= start && edges[i + 1] <= span.end;
    if (own.some(inside)) return make("mark", {}, part);
    return others.some(inside) ? make("mark", { class: "other", title: "marked for another question" }, part) : part;
  });
}

// As in the files that exports write: what a spreadsheet would run as a formula gets an apostrophe.
function csvCell(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (/^'*[=+\-@\t\r＝＋－＠]/.test(text) && !/^'*[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

function asCsv(columns, rows) {
  return [columns, ...rows].map((row) => row.map(csvCell).join(",") + "\r\n").join("");
}

export default () => {
  // Shared by all views of one form. The codes are kept here too, so that they can be saved when the kernel is gone.
  const codes = new Map();
  let sent = 0;

  function initialize({ model }) {
    const take = () => {
      for (const [key, row] of model.get("codes")) row ? codes.set(key, row) : codes.delete(key);
    };
    take();
    sent = model.get("view").heard;
    model.on("change:codes", take);
    return () => model.off("change:codes", take);
  }

  function render({ model, el }) {
    let focus = "";
    let moving = 0;
    let shown = null; // the record, and the text with its marks, that the page shows
    let drawn = "";
    let cards = new Map();
    let asked = null;
    const view = () => model.get("view");

    function tell(what, more = {}) {
      sent += 1;
      if (["next", "back", "skip", "undo"].includes(what)) moving = sent;
      model.send({ do: what, n: sent, place: view().place, ...more });
      root.classList.add("waiting");
    }
    const ready = () => view().heard >= moving;

    // --- what is built once
    const line = make("div", { class: "quiet line" });
    const bar = make("progress", { "aria-label": "texts done" });
    const status = make("div", { class: "status", role: "status" });
    const problem = make("div", { class: "problem", role: "alert" });
    const text = make("div", { class: "text", dir: "auto", tabindex: "-1" });
    const pictures = make("div", { class: "pictures" });
    const veil = make("div", { class: "veil" });
    const name = make("span", { class: "quiet" });
    const questions = make("div", { class: "questions" });
    const help = make("table", { class: "help", hidden: true }, ...KEYS.map(([key, what]) => make("tr", {}, make("th", {}, key), make("td", {}, what))));
    const button = (label, key, what, props = {}) =>
      make("button", { type: "button", title: key ? `key: ${key}` : null, ...props, on: { click: what, ...(props.on ?? {}) } }, label, key ? make("kbd", {}, key) : "");
    const mark = () => {
      const place = selected(text);
      if (!place) return void (problem.textContent = "Select some words of the text first, then mark them.");
      tell("mark", { criterion: focus, ...place });
      text.ownerDocument.getSelection().removeAllRanges();
    };
    const keepSelection = { mousedown: (event) => event.preventDefault() };
    const marking = button("Mark selection", "m", mark, { on: keepSelection });
    const back = button("Back", "←", () => tell("back"));
    const skip = button("Skip", "s", () => tell("skip"));
    const undo = button("Undo", "u", () => tell("undo"));
    const next = button("Next", "→", () => tell("next"), { class: "main" });
    const showHelp = () => {
      help.hidden = !help.hidden;
    };
    const download = button(model.get("download"), "", save);
    const root = make(
      "div",
      { class: "bmnb-c", tabindex: "0", "data-lm-suppress-shortcuts": "true", role: "group", "aria-label": model.get("heading"), on: { keydown: onKey } },
      make("div", { class: "head" }, make("b", {}, model.get("heading")), line, bar, button("Keys", "?", showHelp), download),
      help,
      problem,
      status,
      make("div", { class: "split" }, make("div", {}, make("div", { class: "tools" }, name, marking), veil, pictures, text), questions),
      make("div", { class: "foot" }, back, skip, undo, make("span", { class: "hint quiet" }, "click here to use the keys"), make("span", { class: "saving quiet" }, "waiting for the kernel …"), next),
    );
    el.append(root);

    function save() {
      const link = make("a", { href: "data:text/csv;charset=utf-8," + encodeURIComponent("\ufeff" + asCsv(model.get("columns"), [...codes.values()])), download: model.get("file") });
      root.append(link);
      link.click();
      link.remove();
    }

    // --- one card per question
    function card(question) {
      const told = [
        ...(question.definition ? [make("p", {}, question.definition)] : []),
        ...question.include.map((item) => make("p", {}, make("b", {}, "Counts: "), item)),
        ...question.exclude.map((item) => make("p", {}, make("b", {}, "Does not count: "), item)),
        ...question.examples.map(([answer, example]) => make("p", {}, make("b", {}, `Example of “${answer}”: `), example)),
      ];
      const choose = (option) => () => {
        turnTo(question.name);
        if (option.toggle) tell("toggle", { criterion: question.name, value: option.answer });
        else tell("answer", { criterion: question.name, value: option.answer });
      };
      const buttons = question.options.map((option) =>
        make("button", { type: "button", class: "answer", "aria-pressed": "false", on: { click: choose(option) } }, option.key && option.key !== option.answer ? make("kbd", {}, option.key) : "", option.label),
      );
      const parts = { told, choose, buttons };
      const number = question.number;
      if (number) {
        const give = (event) => {
          if (event.target.value !== "") tell("answer", { criterion: question.name, value: Number(event.target.value) });
        };
        parts.slide = make("input", { type: "range", min: number.low, max: number.high, step: number.step, "aria-label": question.question, on: { change: give, input: (event) => (parts.number.value = event.target.value) } });
        parts.number = make("input", { type: "number", min: number.low, max: number.high, step: "any", "aria-label": question.question, on: { change: give } });
      }
      const wide = (what, label, rows) =>
        make("textarea", { rows, "aria-label": `${label}: ${question.name}`, placeholder: label, on: { change: (event) => tell(what, { criterion: question.name, value: event.target.value }) } });
      parts.reasons = wide("reasons", model.get("reasons_label"), 2);
      parts.note = wide("note", "Note", 1);
      parts.spans = make("ul", { class: "spans" });
      parts.models = make("div", { class: "models" });
      parts.gist = make("div", { class: "gist quiet" });
      parts.state = make("span", { class: "state quiet" });
      parts.node = make(
        "section",
        // not on mousedown: the cards change their height, and the click would land beside its button
        { class: "card", on: { click: () => turnTo(question.name), keyup: (event) => event.key === "Tab" && turnTo(question.name) } },
        make("div", { class: "question" }, question.question, parts.state),
        ...(told.length ? [make("details", {}, make("summary", {}, "Definition and examples"), ...told)] : []),
        ...(number ? [make("div", { class: "number" }, make("span", { class: "quiet" }, String(number.low)), parts.slide, make("span", { class: "quiet" }, String(number.high)), parts.number)] : []),
        make("div", { class: "answers" + (question.level ? " level" : "") }, ...buttons),
        parts.spans,
        parts.gist,
        make("div", { class: "words" }, parts.reasons, ...(model.get("with_notes") ? [parts.note] : [])),
        parts.models,
      );
      return parts;
    }

    function turnTo(criterion) {
      if (focus === criterion || !cards.has(criterion)) return;
      focus = criterion;
      drawCards();
      drawText();
    }

    // --- what changes
    function drawText() {
      const { content, held, hidden, place } = view();
      const own = held[focus]?.spans ?? [];
      const others = Object.keys(held).flatMap((criterion) => (criterion === focus ? [] : held[criterion].spans));
      const now = JSON.stringify([place, hidden, content, own, others]);
      if (now === drawn) return;
      if (shown !== place) text.scrollTop = 0;
      drawn = now;
      text.replaceChildren(...withMarks(content, own, others));
    }

    function drawCards() {
      const { held, models, hidden } = view();
      for (const question of asked) {
        const parts = cards.get(question.name);
        const own = held[question.name];
        parts.node.classList.toggle("focused", question.name === focus);
        parts.node.setAttribute("aria-current", String(question.name === focus));
        parts.state.textContent = own.state;
        question.options.forEach((option, i) => {
          parts.buttons[i].setAttribute("aria-pressed", String(own.chosen.includes(option.answer)));
          parts.buttons[i].disabled = hidden;
        });
        const fill = (input, value) => {
          if (input && input.getRootNode().activeElement !== input && input.value !== value) input.value = value;
        };
        fill(parts.reasons, own.reasons);
        fill(parts.note, own.notes);
        parts.gist.textContent = [own.reasons, own.notes].filter(Boolean).join("\n");
        if (question.number) {
          fill(parts.number, own.number);
          fill(parts.slide, own.number || String((question.number.low + question.number.high) / 2));
          parts.number.disabled = parts.slide.disabled = hidden;
          parts.slide.classList.toggle("unset", own.number === "");
        }
        const drop = (span) => () => tell("unmark", { criterion: question.name, start: span.start, end: span.end });
        parts.spans.replaceChildren(
          ...own.spans.map((span) => make("li", {}, `“${span.text}” `, make("button", { type: "button", class: "drop", "aria-label": "take this mark away", on: { click: drop(span) } }, "×"))),
        );
        const said = models.filter((answer) => answer.criterion === question.name);
        parts.models.replaceChildren(
          ...said.map((answer) =>
            make(
              "div",
              { class: "model" },
              make("div", {}, make("b", {}, answer.said), make("span", { class: "quiet" }, " " + answer.who)),
              make("ul", {}, ...answer.reasons.map((reason) => make("li", {}, reason))),
              answer.conclusion ? make("div", { class: "quiet" }, answer.conclusion) : "",
            ),
          ),
        );
      }
    }

    // Nothing moves while a button of the mouse is down: what moves under it loses its click.
    let pressed = false;
    let late = false;
    const hold = () => (pressed = true);
    function release() {
      pressed = false;
      if (late) setTimeout(draw); // after the click
    }

    function draw() {
      late = pressed;
      if (late) return;
      const now = view();
      const active = () => root.getRootNode().activeElement;
      const inside = root.contains(active());
      if (asked !== model.get("questions")) {
        asked = model.get("questions");
        cards = new Map(asked.map((question) => [question.name, card(question)]));
        questions.replaceChildren(...[...cards.values()].map((parts) => parts.node));
        drawn = "";
      }
      if (shown !== now.place || !cards.has(focus)) {
        const open = asked.find((question) => !now.held[question.name].kept) ?? asked[0];
        focus = open.name;
        // what was being typed belongs to the record before, and was sent when its field was left
        if (shown !== null && inside) root.focus({ preventScroll: true });
      }
      line.textContent = now.line;
      bar.max = now.total;
      bar.value = now.done;
      name.textContent = now.record_id;
      problem.textContent = now.message;
      status.replaceChildren(now.status, ...(now.break_due ? [button("Go on", "", () => tell("rest"))] : []));
      veil.replaceChildren(...(now.hidden ? [make("p", {}, now.content_note), button("Show this text", "", () => tell("show"))] : []));
      text.hidden = now.hidden;
      marking.disabled = now.hidden || !now.content;
      pictures.replaceChildren(...now.images.map((source) => make("img", { src: source, alt: "image of this record" })));
      back.disabled = now.first;
      next.disabled = now.last;
      undo.disabled = !now.can_undo;
      skip.hidden = !now.can_skip;
      root.classList.toggle("waiting", now.heard < sent);
      drawText();
      drawCards();
      shown = now.place;
      // a button that went away or was switched off under the focus would swallow the keys
      if (inside && (!root.contains(active()) || active().disabled)) root.focus({ preventScroll: true });
    }

    // --- keys
    function onKey(event) {
      event.stopPropagation(); // a notebook in command mode would delete cells
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const at = event.target;
      const typing = at.matches("textarea, input");
      if (event.key === "Escape" || (typing && event.key === "Enter" && at.tagName === "INPUT")) return root.focus({ preventScroll: true });
      if (typing || (at.matches("button, summary") && (event.key === "Enter" || event.key === " "))) return;
      if (!ready()) return event.preventDefault();
      if (press(event.key)) event.preventDefault();
    }

    function press(key) {
      const parts = cards.get(focus);
      const question = asked.find((one) => one.name === focus);
      const pages = { PageDown: 0.9, PageUp: -0.9 };
      if (/^[0-9]$/.test(key)) {
        const i = question.options.findIndex((option) => option.key === key);
        if (i >= 0) parts.buttons[i].click();
        else if (question.number && !view().hidden) {
          parts.number.value = key;
          parts.number.focus();
        } else return false;
        if (i >= 0 && !question.options[i].toggle) step(1, true);
      } else if (key === "ArrowRight" || key === "Enter") view().last || tell("next");
      else if (key === "ArrowLeft") view().first || tell("back");
      else if (key === "ArrowDown" || key === "ArrowUp") return step(key === "ArrowDown" ? 1 : -1, false);
      else if (key in pages) text.scrollBy(0, pages[key] * text.clientHeight);
      else if (key === "u") view().can_undo && tell("undo");
      else if (key === "s") view().can_skip && tell("skip");
      else if (key === "m") marking.disabled || mark();
      else if (key === "r") parts.reasons.focus();
      else if (key === "n" && model.get("with_notes")) parts.note.focus();
      else if (key === "?") showHelp();
      else return false;
      return true;
    }

    // To the next question; after an answer only to one that is still open.
    function step(by, open) {
      const at = asked.findIndex((question) => question.name === focus);
      const rest = by > 0 ? asked.slice(at + 1) : asked.slice(0, at).reverse();
      const to = open ? rest.find((question) => !view().held[question.name].kept) : rest[0];
      if (!to) return asked.length > 1;
      turnTo(to.name);
      cards.get(to.name).node.scrollIntoView({ block: "nearest" });
      return true;
    }

    const page = el.ownerDocument;
    model.on("change:view", draw);
    root.addEventListener("pointerdown", hold);
    for (const event of ["pointerup", "pointercancel"]) page.addEventListener(event, release, true);
    draw();
    return () => {
      model.off("change:view", draw);
      for (const event of ["pointerup", "pointercancel"]) page.removeEventListener(event, release, true);
    };
  }

  return { initialize, render };
};
