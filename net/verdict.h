/* What the destinations' judges share: reading an answer's bytes, falling back on the HTTP status,
 * filling the outcome. Total: any bytes give a sane outcome. */
#ifndef NET_VERDICT_H
#define NET_VERDICT_H

#include "net/dest.h"
#include "src/json.h"
#include "src/reply.h"

struct arena;

#define VERDICT_TEXT 500 /* bytes kept of a platform's message */

/* One answer while it is judged. */
struct judging {
	struct arena *a;
	enum platform_id platform;
	const struct dest_reply *r;
	size_t n; /* events in the request */
	struct dest_outcome *out;
	const struct jv *root; /* NULL: the body is not a JSON object */
};

/* Resets the outcome and reads the body. */
void judging_begin(struct judging *j);
/* Keeps the platform's own id of the exchange. */
void judge_trace(struct judging *j, const char *id);

/* 2xx. */
bool judging_success(const struct judging *j);
/* Overload or trouble on the platform's side: later, whatever the body says. */
bool judging_later(const struct judging *j);

/* Refuses or postpones everything. `code` and `message` are copied; message is cut. */
void judge_all(struct judging *j, enum dest_class class, const char *code, const char *message);
/* By the HTTP status alone; for bodies that say nothing we understand. message NULL: the status
 * and the body's first bytes. code NULL: "http NNN". */
void judge_status(struct judging *j, const char *code, const char *message);
/* By the row of src/replies.def, else by the status. */
void judge_code(struct judging *j, int64_t number, int64_t subcode, const char *message);
/* As judge_all with RETRY, for an answer that contradicts itself or counts wrongly. */
void judge_unclear(struct judging *j, const char *message);
/* DEST_OK with one verdict for all n events. */
void judge_accepted(struct judging *j, enum disposition to, const char *code, const char *message);
/* One event's verdict; judge_accepted() came first. */
void judge_event(
	struct judging *j, size_t i, enum disposition to, const char *code, const char *message);

/* The member's text, "" when it is none. */
const char *reply_text(const struct jv *obj, const char *key);
/* A copy cut at `max` bytes on a character's boundary. */
const char *reply_cut(struct arena *a, const char *text, size_t max);

#endif
