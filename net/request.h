/* One HTTP request inside the listener: what handlers (net/api_*.c) see of it and how they
 * answer. Everything here runs in the listener's one HTTP thread. */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include "net/conn.h"
#include "net/writer.h"
#include "src/attr.h"

#include <stdbool.h>

struct callers;
struct keeper;
struct limits;
struct listener;
struct route;
struct MHD_Connection;
struct MHD_Response;

struct request {
	struct listener *listener;
	struct conn *conn;
	struct MHD_Connection *mhd;
	const struct route *route; /* NULL: refused before it had one */
	char *body;                /* raw bytes, NUL behind them; NULL when empty */
	size_t nbody, size;
	struct job *job; /* under way (then `waiting`), or done */
	bool waiting, resumed;
	void (*stored)(struct request *req); /* answers once the job is done */
	struct MHD_Response *response;       /* owned */
	struct MHD_Response *shared;         /* borrowed; used when there is no response */
	unsigned status;
	bool cors;   /* let the page that asked read the answer */
	bool queued; /* libmicrohttpd has the answer */
};

/* The latest snapshot; NULL while the database was never reached. Borrowed until the handler
 * returns. */
const struct callers *request_callers(const struct request *req);
struct keeper *request_keeper(const struct request *req);
struct writer *request_writer(const struct request *req);
struct limits *request_limits(const struct request *req);

/* A header or query argument; NULL if absent. Borrowed. */
const char *request_header(const struct request *req, const char *name);
const char *request_query(const struct request *req, const char *name);
/* Address of the sender: the peer's, or behind a proxy on this machine the last one of
 * X-Forwarded-For. Printable ASCII. */
void request_remote(const struct request *req, char out[64]);

/* Answers with JSON text (copied). */
void request_json(struct request *req, unsigned status, const char *json);
/* {"ok":true}, from a prepared response. */
void request_ok(struct request *req);
/* {"error":"…"} */
void request_error(struct request *req, unsigned status, const char *fmt, ...) TA_PRINTF(3, 4);
/* 503 with Retry-After and why. */
void request_busy(struct request *req, const char *why);
/* Adds a header to the answer given before. */
void request_add_header(struct request *req, const char *name, const char *value);
/* Lets the page of the request's Origin read the answer ("null" too: Shopify's sandboxed pixels).
 */
void request_add_cors(struct request *req);
/* Hands the job (taken over) to the writer; `stored` is called when it is committed. A full queue
 * or a late commit answers 503 by itself. */
void request_store(struct request *req, struct job *job, void (*stored)(struct request *req));

/* Copies foreign text into the job: printable ASCII, cut at max. NULL becomes "". */
const char *job_text(struct job *j, const char *s, size_t max);
/* Fills body and its hash of a row: SHA-256 and LZ4. */
void job_body(struct job *j, struct inbox_row *row, const void *body, size_t n);

#endif
