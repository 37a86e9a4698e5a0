-- The puller's jobs (net/pulls.def): when each is due next and what came of its last run. A row is
-- written at the end of a run, of a job that runs more often than once a minute only when it has news.
CREATE TABLE pull (
	job      text PRIMARY KEY,
	due_us   bigint NOT NULL,
	begun_us bigint NOT NULL,                          -- of the last run
	ended_us bigint NOT NULL,
	failures int NOT NULL,                             -- in a row; 0: the last run went well
	outcome  text NOT NULL                             -- one sentence
) WITH (fillfactor = 50);
