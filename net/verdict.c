#include "net/verdict.h"

#include "src/arena.h"

#include <string.h>

#define RETRY_CAP_S 3600
#define TRACE_TEXT  100
#define SNIPPET     120

const char *reply_cut(struct arena *a, const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);
	if (n > max) {
		n = max;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	return arena_strndup(a, text, n);
}

const char *reply_text(const struct jv *obj, const char *key)
{
	const char *s = jv_str(obj, key);
	return s ? s : "";
}

void judging_begin(struct judging *j)
{
	int64_t wait = j->r->retry_after_s;

	*j->out = (struct dest_outcome){
		.class = DEST_RETRY,
		.retry_after_s = wait < 0 ? 0 : TA_MIN(wait, RETRY_CAP_S),
		.bad_index = -1,
		.code = "",
		.message = "",
		.trace_id = "",
	};
	j->root = NULL;
	if (!j->r->body || !j->r->len)
		return;
	const struct jv *v;
	if (jv_parse(j->a, j->r->body, j->r->len, &v, NULL) == JV_FINE && v->type == JV_OBJECT)
		j->root = v;
}

void judge_trace(struct judging *j, const char *id)
{
	j->out->trace_id = reply_cut(j->a, id, TRACE_TEXT);
}

bool judging_success(const struct judging *j)
{
	return j->r->http >= 200 && j->r->http <= 299;
}

bool judging_later(const struct judging *j)
{
	return j->r->http == 408 || j->r->http == 425 || j->r->http == 429 || j->r->http >= 500;
}

void judge_all(struct judging *j, enum dest_class class, const char *code, const char *message)
{
	j->out->class = class;
	j->out->code = arena_strdup(j->a, code);
	j->out->message = reply_cut(j->a, message, VERDICT_TEXT);
	j->out->verdicts = NULL;
}

/* A class for a status whose body says nothing. What we do not know pauses the pixel or waits:
 * only the statuses that speak of the request's content reject. */
static enum dest_class class_of_status(const struct judging *j)
{
	int http = j->r->http;

	if (http == 413)
		return DEST_PERMANENT_BATCH;
	if (!j->root || judging_later(j) || http < 400)
		return DEST_RETRY;
	if (http == 400 || http == 422)
		return DEST_PERMANENT_BATCH;
	return http == 401 ? DEST_AUTH : DEST_CONFIG;
}

static const char *describe(const struct judging *j)
{
	char snippet[SNIPPET + 1];
	size_t n = 0;

	if (!j->r->http)
		return "no answer";
	if (!j->r->body || !j->r->len)
		return arena_fmt(j->a, "HTTP %d with an empty body", j->r->http);
	for (size_t i = 0; i < j->r->len && n < SNIPPET; i++) {
		unsigned char c = (unsigned char)j->r->body[i];
		snippet[n++] = c >= 0x20 && c < 0x7f ? (char)c : ' ';
	}
	snippet[n] = '\0';
	return arena_fmt(j->a, "HTTP %d with %s: %s", j->r->http,
		j->root ? "a body we do not understand" : "a body that is not a JSON object",
		snippet);
}

void judge_status(struct judging *j, const char *code, const char *message)
{
	judge_all(j, class_of_status(j), code ? code : arena_fmt(j->a, "http %d", j->r->http),
		message && *message ? message : describe(j));
}

void judge_code(struct judging *j, int64_t number, int64_t subcode, const char *message)
{
	static const enum dest_class classes[] = {
		[REPLY_BATCH] = DEST_PERMANENT_BATCH,
		[REPLY_AUTH] = DEST_AUTH,
		[REPLY_CONFIG] = DEST_CONFIG,
		[REPLY_RETRY] = DEST_RETRY,
	};
	const struct reply *row = reply_find(j->platform, (long)number, (long)subcode);
	const char *code =
		subcode ? arena_fmt(j->a, "%lld/%lld", (long long)number, (long long)subcode)
			: arena_fmt(j->a, "%lld", (long long)number);

	if (!row || judging_later(j))
		judge_status(j, code, message);
	else
		judge_all(j, classes[row->class], code, *message ? message : row->cause);
}

void judge_unclear(struct judging *j, const char *message)
{
	judge_all(j, DEST_RETRY, "unclear", message);
}

void judge_accepted(struct judging *j, enum disposition to, const char *code, const char *message)
{
	struct dest_verdict v = {.to = to};

	judge_all(j, DEST_OK, code, message);
	v.code = j->out->code;
	v.message = j->out->message;
	j->out->verdicts = arena_alloc(j->a, j->n * sizeof(v));
	for (size_t i = 0; i < j->n; i++)
		j->out->verdicts[i] = v;
}

void judge_event(
	struct judging *j, size_t i, enum disposition to, const char *code, const char *message)
{
	j->out->verdicts[i] = (struct dest_verdict){
		.to = to,
		.code = code,
		.message = *message ? reply_cut(j->a, message, VERDICT_TEXT) : "",
	};
}
