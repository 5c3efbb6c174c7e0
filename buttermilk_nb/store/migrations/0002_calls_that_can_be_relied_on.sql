-- Version 2. Attempts, waits and egress of calls; the chain of runs; what was redacted; images; forgotten persons.
-- What a judge said (conclusion, reasons) and what an agent put out are kept once, by hash: re-running a study from
-- the cache adds ids, not texts. `scores` and `traces` become views with the columns that they always had.

alter table calls add column provider varchar;
alter table calls add column remote boolean;
alter table calls add column waited_s double;
alter table calls add column error_code varchar;
alter table calls add column redaction varchar;

alter table runs add column chain varchar;

alter table records add column local_only boolean default false;
alter table records add column media varchar;

create table redactions (request_hash varchar, placeholder varchar, original varchar);
create table tombstones (kind varchar, what varchar, removed_at timestamp, reason varchar, n_rows bigint);
create table merged (spool varchar, merged_at timestamp);
create table batches (
    batch_id varchar, provider varchar, model varchar, cache_key varchar, state varchar, happened_at timestamp,
    cost_usd double
);
