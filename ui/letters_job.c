#include "ui/letters_job.h"

#include "db/command.h"
#include "db/conn.h"
#include "db/waiting.h"
#include "src/buf.h"
#include "src/clock.h"

#include <stdlib.h>

struct letters_job *letters_job_new(enum letters_do what, enum letters_kind kind)
{
	struct letters_job *j = ta_alloc(sizeof(*j));
	j->what = what;
	j->kind = kind;
	j->reason = -1;
	return j;
}

void letters_job_free(struct letters_job *j)
{
	if (!j)
		return;
	arena_release(&j->mem);
	free(j);
}

static void take_waiting(struct letters_job *j, const struct waiting_row *w, int64_t now)
{
	j->rows[j->n++] = (struct letter){.event_id = w->event_id,
		.at_us = w->deadline_us,
		.due_us = waiting_next_us(w, now),
		.pixel_id = w->pixel_id,
		.run = w->run,
		.tries = w->tries,
		.state = DISP_RETRYING,
		.name = w->name,
		.unknown = w->unknown,
		.held = w->held,
		.open = circuit_state(&w->circuit.circuit, now) != CIRCUIT_CLOSED,
		.label = w->label,
		.store = w->store,
		.pixel = w->pixel,
		.platform = w->platform,
		.code = w->code,
		.message = w->message};
}

static enum ta_rc read_waiting(struct db *db, struct letters_job *j, struct ta_err *err)
{
	int64_t now = clock_now_us();
	struct waiting_query q = {0};
	enum ta_rc rc = TA_OK;
	for (size_t n = WAITING_PAGE; !rc && n == WAITING_PAGE && !j->more;) {
		struct waiting_row *rows = NULL;
		rc = waiting_list(db, &q, &j->mem, &rows, &n, err);
		for (size_t i = 0; !rc && i < n && j->n < LETTERS_MAX; i++) {
			take_waiting(j, &rows[i], now);
			q.after_deadline_us = rows[i].deadline_us;
			q.after_event = rows[i].event_id;
			q.after_pixel = rows[i].pixel_id;
		}
		j->more = j->n == LETTERS_MAX;
	}
	return rc;
}

static void take_dead(struct letters_job *j, const struct dead_row *d)
{
	j->rows[j->n++] = (struct letter){.event_id = d->event_id,
		.at_us = d->at_us,
		.pixel_id = d->pixel_id,
		.run = d->run,
		.tries = d->tries,
		.state = (int)d->state,
		.reason = d->reason,
		.name = d->name,
		.label = d->label,
		.store = d->store,
		.pixel = d->pixel,
		.platform = d->platform,
		.code = d->code,
		.message = d->message};
}

static enum ta_rc read_dead(struct db *db, struct letters_job *j, struct ta_err *err)
{
	struct dead_query q = {.since_us = clock_now_us() - LETTERS_DAYS * US_PER_DAY,
		.pixel_id = j->pixel_id,
		.reason = j->reason,
		.code = j->code,
		.by = j->by};
	enum ta_rc rc = dead_groups(db, &q, &j->mem, &j->groups, &j->ngroups, err);
	for (size_t n = DEAD_PAGE; !rc && n == DEAD_PAGE && !j->more;) {
		struct dead_row *rows = NULL;
		rc = dead_list(db, &q, &j->mem, &rows, &n, err);
		for (size_t i = 0; !rc && i < n && j->n < LETTERS_MAX; i++) {
			take_dead(j, &rows[i]);
			q.before_event = rows[i].event_id;
			q.before_pixel = rows[i].pixel_id;
		}
		j->more = j->n == LETTERS_MAX;
	}
	return rc;
}

static enum ta_rc order(
	struct db *db, struct letters_job *j, size_t from, size_t n, struct ta_err *err)
{
	struct buf b = BUF_INIT(64 * COMMAND_RETRY_MAX + 64);
	const char *answer = "";
	retry_order_args(j->picks + from, n, j->force, &b);
	struct command c = {.actor = j->actor, .kind = COMMAND_RETRY, .args = buf_str(&b)};
	enum ta_rc rc = command_post(db, &c, err);
	if (!rc)
		rc = command_wait(db, c.id, &j->mem, &answer, err);
	if (!rc)
		retry_answer_add(&j->sum, answer);
	buf_release(&b);
	return rc;
}

static enum ta_rc retry_all(struct db *db, struct letters_job *j, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < j->npicks && !atomic_load(&j->cancel);
		i += COMMAND_RETRY_MAX) {
		size_t n = TA_MIN(j->npicks - i, (size_t)COMMAND_RETRY_MAX);
		rc = order(db, j, i, n, err);
		if (!rc)
			atomic_fetch_add(&j->done, (int64_t)n);
	}
	if (rc && j->sum.retried)
		ta_err_prefix(err, "%lld are tried now, then", (long long)j->sum.retried);
	return rc;
}

enum ta_rc letters_job_run(struct db *db, struct letters_job *j, struct ta_err *err)
{
	if (j->what == LETTERS_RETRY)
		return retry_all(db, j, err);
	j->rows = arena_alloc(&j->mem, LETTERS_MAX * sizeof(*j->rows));
	return j->kind == LETTERS_EXPIRING ? read_waiting(db, j, err) : read_dead(db, j, err);
}
