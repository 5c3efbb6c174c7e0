-- The tables of version 1. Migrations are numbered and append-only: a released one is never edited.
-- Texts that come from outside are VARCHAR, never JSON: one malformed value must not cost its neighbours.

create table meta (key varchar, value varchar);

create table runs (
    run_id varchar, flow varchar, flow_hash varchar, corpus_hash varchar, status varchar,
    started_at timestamp, finished_at timestamp, manifest varchar, digest varchar
);

create table cells (
    run_id varchar, design_id varchar, step varchar, record_id varchar, record_hash varchar,
    criteria_set varchar, criteria_hash varchar, model varchar, replicate integer, details_hash varchar
);

create table records (
    record_id varchar, record_hash varchar, details_hash varchar, content varchar, metadata varchar,
    ground_truth varchar, expert_reasons varchar, labels varchar, cluster varchar, parent_id varchar,
    start_offset bigint, end_offset bigint, uri varchar, mime varchar, first_seen_at timestamp
);

create table texts (text_hash varchar, kind varchar, name varchar, version varchar, body varchar);

create table traces (
    trace_id varchar, run_id varchar, design_id varchar, record_id varchar, record_hash varchar,
    step varchar, agent varchar, role varchar, model varchar, criteria_set varchar, criteria_hash varchar,
    prompt_hash varchar, params varchar, replicate integer, status varchar, output varchar,
    flagged boolean, error_type varchar, error_message varchar, attempts integer,
    started_at timestamp, duration_s double
);

create table trace_inputs (trace_id varchar, input_trace_id varchar, position integer);

create table calls (
    call_id varchar, trace_id varchar, run_id varchar, model_requested varchar, model_served varchar,
    fingerprint varchar, request_id varchar, cache_key varchar, cached boolean, asked_at timestamp,
    answered_at timestamp, params_sent varchar, params_dropped varchar, attempt integer,
    request_hash varchar, response_hash varchar, finish_reason varchar, tokens_in bigint,
    tokens_out bigint, cost_usd double, saved_usd double, latency_s double, status varchar,
    error_message varchar
);

create table scores (
    trace_id varchar, run_id varchar, design_id varchar, record_id varchar, record_hash varchar,
    judge varchar, criteria_set varchar, criteria_hash varchar, criterion varchar, model varchar,
    replicate integer, value double, category varchar, flagged boolean, uncertainty varchar,
    conclusion varchar, reasons varchar[], status varchar
);

create table events (
    event_id varchar, type varchar, transaction_id varchar, correlation_id varchar, source varchar,
    payload varchar, happened_at timestamp
);
