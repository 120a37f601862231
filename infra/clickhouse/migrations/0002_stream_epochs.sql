-- The lives of the log. An epoch begins where sequences can no longer be trusted to name the same messages as before. It ends where the next one of
-- the same log begins.
CREATE TABLE IF NOT EXISTS stream_epochs
(
    epoch UInt32 COMMENT 'counts from 1',
    stream_created_at String COMMENT 'identifies the log: one that was made anew is another log',
    first_sequence UInt64 COMMENT 'first sequence that belongs to this epoch',
    opened_at DateTime64(3, 'UTC') COMMENT 'when the projector noticed',
    reason LowCardinality(String) COMMENT 'first, new-log, log-tail-lost, log-aged-out or rows-lost'
)
ENGINE = MergeTree
ORDER BY epoch
SETTINGS non_replicated_deduplication_window = 100;
