-- Version 5. How an answer was read, where another reading is conceivable.
alter table score_rows add column answer_note varchar;
