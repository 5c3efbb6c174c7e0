-- People: who codes, what they were given to code, and every code, which is never changed but followed by a newer one.
create table coders (coder varchar, kind varchar, groups varchar, first_seen_at timestamp);

create table samples (
    sample_id varchar, name varchar, method varchar, seed bigint, coder varchar, position integer,
    record_id varchar, record_hash varchar, stratum varchar, inclusion_p double, drawn_at timestamp
);

create table labels (
    label_id varchar, record_id varchar, record_hash varchar, criteria_set varchar, criteria_hash varchar,
    criterion varchar, coder varchar, value double, category varchar, flagged boolean, reasons varchar[],
    notes varchar, quotes varchar, status varchar, blind boolean, saw_trace_ids varchar[], round varchar,
    sample_id varchar, inclusion_p double, seconds double, source varchar, coded_at timestamp
);

-- Expert reasons, each held against one answer.
create table assessments (
    trace_id varchar, run_id varchar, assessed_trace_id varchar, record_id varchar, criterion varchar,
    reason_index integer, reason varchar, matched boolean, matched_by integer[], feedback varchar, status varchar
);
