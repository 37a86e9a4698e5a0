/* Pinterest's own opinion of the events it got: its quality score and its tags, per pixel every
 * four hours. Only of pixels that send: a token that was never taken is not tried here first. */
#include "db/conn.h"
#include "db/quality.h"
#include "db/secret.h"
#include "net/puller.h"
#include "net/quality.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/conf.h"
#include "src/crypto.h"

#define EVERY_US   (4 * 3600 * US_PER_S)
#define SENDING_US (7 * US_PER_DAY) /* who was last taken longer ago does not send */
#define SIDE_BY    4
#define TOTAL_MS   20000

struct run {
	struct pull *pull;
	struct quality_pixel *pixels;
	size_t n, next;
	int read, refused;
};

/* One pixel being asked about. */
struct one {
	struct run *run;
	const struct quality_pixel *pixel;
	enum quality_ask what;
	const char *scores;
};

static enum ta_rc keep(struct one *o, const char *why, const char *tags, struct ta_err *err)
{
	int64_t now = clock_now_us();
	const struct quality_row row = {
		o->pixel->id, now, now, why, o->scores ? o->scores : "", tags};
	o->run->read += !*why;
	o->run->refused += *why != '\0';
	pull_say(o->run->pull, "%d of %zu pixels read at Pinterest, %d refused", o->run->read,
		o->run->n, o->run->refused);
	return quality_write(pull_db(o->run->pull), &row, err);
}

static enum ta_rc told(struct pull *p, struct http_reply *r, void *arg, struct ta_err *err);

static enum ta_rc ask(struct one *o, struct ta_err *err)
{
	struct pull *p = o->run->pull;
	struct secret_text token;
	struct secret_place place = secret_of_pixel(o->pixel->uid);
	struct db_bytes blob = {o->pixel->token, o->pixel->token_len};
	struct dest_request req;
	enum ta_rc rc = secret_open(pull_key(p), &place, blob, &token, err);
	if (rc)
		return rc;
	const struct dest_config cfg = {.base_url = conf_get(CONF_PINTEREST_URL),
		.account = o->pixel->account,
		.token = token.text};
	quality_request(pull_arena(p), &cfg, o->what, &req);
	crypto_wipe(&token, sizeof(token));
	const struct http_request r = {.method = req.method,
		.url = req.url,
		.headers = req.headers,
		.secret_header = req.secret_header,
		.total_ms = TOTAL_MS};
	return pull_ask(p, &r, told, o, err);
}

/* The next pixel; one that cannot even be asked about says so and lets the others pass. */
static enum ta_rc ask_next(struct run *run, struct ta_err *err)
{
	while (run->next < run->n) {
		struct one *o = arena_alloc(pull_arena(run->pull), sizeof(*o));
		struct ta_err why = {0};
		*o = (struct one){run, &run->pixels[run->next++], QUALITY_SCORES, NULL};
		enum ta_rc rc = ask(o, &why);
		if (!rc)
			return TA_OK;
		if (rc == TA_TIMEOUT) {
			*err = why;
			return rc;
		}
		rc = keep(o, why.msg, "", err);
		if (rc)
			return rc;
	}
	return TA_OK;
}

static enum ta_rc told(struct pull *p, struct http_reply *r, void *arg, struct ta_err *err)
{
	struct one *o = arg;
	struct quality_reply got;
	const struct dest_reply reply = {r->end == HTTP_ANSWERED ? r->status : 0, buf_str(&r->body),
		r->body.len, r->retry_after_s};
	quality_read(pull_arena(p), o->what, &reply, &got);
	if (o->what == QUALITY_SCORES && got.json) {
		o->what = QUALITY_TAGS;
		o->scores = got.json;
		return ask(o, err);
	}
	/* scores without tags are better than none */
	enum ta_rc rc =
		o->scores ? keep(o, "", got.json ? got.json : "", err) : keep(o, got.why, "", err);
	return rc ? rc : ask_next(o->run, err);
}

enum ta_rc pull_quality(struct pull *p, struct ta_err *err)
{
	int64_t now = clock_now_us();
	struct run *run = arena_alloc(pull_arena(p), sizeof(*run));
	const struct quality_due due = {"pinterest", now - SENDING_US, now - EVERY_US};
	*run = (struct run){.pull = p};
	enum ta_rc rc = quality_due(pull_db(p), &due, pull_arena(p), &run->pixels, &run->n, err);
	if (!rc && !run->n)
		pull_say(p, "nothing to ask Pinterest about");
	for (int i = 0; !rc && i < SIDE_BY; i++)
		rc = ask_next(run, err);
	return rc;
}
