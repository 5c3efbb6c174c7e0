-- Version 4. What a call can have cost if nobody said what it did cost; the record that a request of a batch is about.
alter table calls add column max_cost_usd double;
alter table batches add column record_id varchar;
