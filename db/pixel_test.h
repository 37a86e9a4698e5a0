/* A test send: one stored event through a pixel's live or draft settings, in the platform's test
 * mode. The dispatcher does it, because it alone can open the token (command kind pixel.test,
 * net/trial.c); the live traffic knows nothing of it: no delivery, no attempt, no ledger, and an
 * event id of its own, so that the platform merges it with nothing.
 *
 * A canary (db/canary.h) goes the same way: "canary" names it in the place of "event"; its verdict
 * reads "built" where the platform takes no test without a test code.
 *
 * args   {"pixel":ID,"event":"ID"?,"draft":{"account","test_code","content_id","event_names",
 *         "content_ids","token"?}?}; a draft's "" unsets; its token is sealed, in hex
 * answer {"pixel","name","platform","event","event_name","wire_id","live","at","request","http",
 *         "ms","answer","class","verdict","code","message","trace","error"}, as below; ids as text
 * A refusal is a sentence: no test code where the platform needs one, consent denied, no match key.
 */
#ifndef DB_PIXEL_TEST_H
#define DB_PIXEL_TEST_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct pixel_test_ask {
	int32_t pixel_id;
	int64_t event_id; /* 0: the newest of the store that can be sent */
	/* Settings that differ from the stored ones, by field of table_pixel (db/table.h): NULL
	 * keeps,
	 * "" unsets; the token in clear. NULL: the live settings. Fields that no request depends on
	 * are passed over. */
	const char *const *draft;
};

/* What came of it. Texts live in the caller's arena, "" when there is none. */
struct pixel_test {
	int32_t pixel_id;
	int64_t event_id, at_us;
	const char *name, *platform; /* of the pixel */
	const char *event_name;      /* as it was sent */
	const char *wire_id;
	bool live; /* no draft */
	/* The exchange: method and URL, headers, an empty line, the body; secrets read ***. */
	const char *request, *answer;
	size_t nrequest, nanswer; /* bytes */
	int http;                 /* status, 0: no answer */
	int64_t ms;
	const char *class; /* ok, per_event, permanent_batch, auth, config, retry, not_sent,
			      no_answer */
	/* What a live delivery would have become: delivered, delivered_warning, rejected, retrying;
	 * held where the pixel would have been paused. */
	const char *verdict;
	const char *code, *message, *trace; /* the platform's words */
	const char *error;                  /* of the exchange itself */
};

/* Whether a request depends on the field of table_pixel of that name. */
bool pixel_test_depends(const char *field);
/* Checks the draft and stores the order; *id is its number. Errors: TA_INVALID (err->field),
 * TA_NOTFOUND, TA_CONFIG (a token without sealing keys), TA_DB. */
TA_MUST enum ta_rc pixel_test_post(struct db *db, const struct pixel_test_ask *ask,
	const char *actor, int64_t *id, struct ta_err *err);
/* Waits for the answer, blocking (a worker's or a command's thread): about 3 s until it is taken,
 * then as long as the platform may take (40 s). Errors: TA_DENIED (refused; the sentence),
 * TA_TIMEOUT, TA_DB. */
TA_MUST enum ta_rc pixel_test_wait(
	struct db *db, int64_t id, struct arena *a, struct pixel_test *out, struct ta_err *err);
/* Reads an answer, for who reads the row itself. Errors: TA_PROTO. */
TA_MUST enum ta_rc pixel_test_read(
	struct arena *a, const char *json, struct pixel_test *out, struct ta_err *err);

/* For the dispatcher: what it may send. */
#define PIXEL_TEST_CANDIDATES 50
struct pixel_test_events {
	int64_t ids[PIXEL_TEST_CANDIDATES]; /* ascending */
	size_t n;
	bool consent_required; /* of the store */
};
/* The newest events of the store, or the one (n 0: it is none of the store's). */
TA_MUST enum ta_rc pixel_test_events(struct db *db, int32_t store_id, int64_t event_id,
	struct pixel_test_events *out, struct ta_err *err);

#endif
