-- Version 2. Attempts, waits and egress of calls; the chain of runs; what was redacted; images; forgotten persons.
--
-- What a judge said (conclusion, reasons) and what an agent put out (output, error message) are kept once, by hash:
-- running a study again from the cache adds ids, not texts. `scores` and `traces` become views (see store/views.py)
-- with the columns that they always had. `params` stays where it was: a run has few, and DuckDB keeps each once.
--
-- The hash is the first half of a SHA-256 over length-prefixed texts, as a UUID: half the space of its letters, and
-- joins on it cost a third. These two macros are its only definition; the file can be checked with DuckDB alone.

alter table calls add column provider varchar;
alter table calls add column remote boolean;
alter table calls add column waited_s double;
alter table calls add column error_code varchar;
alter table calls add column redaction varchar;

alter table runs add column chain varchar;

alter table records add column local_only boolean default false;
alter table records add column media varchar;

create macro hash_of_said(conclusion, reasons) as
    case when conclusion is null and reasons is null then null else
        substr(sha256('said1'
            || coalesce(strlen(conclusion) || ':' || conclusion, '-')
            || coalesce(len(reasons) || '['
                || array_to_string(list_transform(reasons, lambda reason: strlen(reason) || ':' || reason), ''), '-')
        ), 1, 32)::uuid
    end;

create macro hash_of_outcome(output, error_message) as
    case when output is null and error_message is null then null else
        substr(sha256('outcome1'
            || coalesce(strlen(output) || ':' || output, '-')
            || coalesce(strlen(error_message) || ':' || error_message, '-')
        ), 1, 32)::uuid
    end;

create table said (said_hash uuid, conclusion varchar, reasons varchar[]);

create table score_rows (
    trace_id varchar, run_id varchar, design_id varchar, record_id varchar, record_hash varchar,
    judge varchar, criteria_set varchar, criteria_hash varchar, criterion varchar, model varchar,
    replicate integer, value double, category varchar, flagged boolean, uncertainty varchar,
    status varchar, said_hash uuid
);

insert into score_rows
    select * exclude (conclusion, reasons), hash_of_said(conclusion, reasons) from scores;

insert into said
    select said_hash, any_value(conclusion), any_value(reasons)
    from (select hash_of_said(conclusion, reasons) as said_hash, conclusion, reasons from scores)
    where said_hash is not null group by said_hash;

drop table scores;

create table outcomes (outcome_hash uuid, output varchar, error_message varchar);

create table trace_rows (
    trace_id varchar, run_id varchar, design_id varchar, record_id varchar, record_hash varchar,
    step varchar, agent varchar, role varchar, model varchar, criteria_set varchar, criteria_hash varchar,
    prompt_hash varchar, params varchar, replicate integer, status varchar,
    flagged boolean, error_type varchar, attempts integer,
    started_at timestamp, duration_s double, outcome_hash uuid
);

insert into trace_rows
    select * exclude (output, error_message), hash_of_outcome(output, error_message) from traces;

insert into outcomes
    select outcome_hash, any_value(output), any_value(error_message)
    from (select hash_of_outcome(output, error_message) as outcome_hash, output, error_message from traces)
    where outcome_hash is not null group by outcome_hash;

drop table traces;

create table redactions (request_hash varchar, placeholder varchar, original varchar);
create table tombstones (kind varchar, what varchar, removed_at timestamp, reason varchar, n_rows bigint);
create table merged (spool varchar, merged_at timestamp);
create table batches (
    batch_id varchar, provider varchar, model varchar, cache_key varchar, state varchar, happened_at timestamp,
    cost_usd double
);

-- One row for each run that ended, in order: the hash of all its rows, and a hash of that and of the link before.
create table links (position bigint, run_id varchar, rows_hash varchar, chain varchar, linked_at timestamp);
insert into meta values ('chained_since', make_timestamp(epoch_us(now()))::varchar);
