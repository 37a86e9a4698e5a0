#include "net/request.h"

#include "net/keeper.h"
#include "net/listener.h"
#include "net/route.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/lz.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *request_header(const struct request *req, const char *name)
{
	return MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *req, const char *name)
{
	return MHD_lookup_connection_value(req->mhd, MHD_GET_ARGUMENT_KIND, name);
}

static size_t copy_printable(char *to, const char *from, size_t max)
{
	size_t n = 0;
	for (; from[n] && n < max; n++)
		to[n] = from[n] >= 0x20 && from[n] < 0x7f ? from[n] : '?';
	to[n] = '\0';
	return n;
}

void request_remote(const struct request *req, char out[64])
{
	const char *peer = req->conn->remote;
	bool here = strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0;
	const char *via = here ? request_header(req, "X-Forwarded-For") : NULL;
	const char *last = via ? strrchr(via, ',') : NULL;
	if (last)
		via = last + 1;
	while (via && *via == ' ')
		via++;
	copy_printable(out, via && *via ? via : peer, 63);
}

/* Answers ------------------------------------------------------------------------------------- */

static void secure(struct MHD_Response *r)
{
	static const char *const headers[][2] = {
		{"Content-Type", "application/json; charset=utf-8"},
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
		{"Referrer-Policy", "no-referrer"},
	};
	for (size_t i = 0; i < TA_COUNT(headers); i++)
		if (MHD_add_response_header(r, headers[i][0], headers[i][1]) != MHD_YES)
			ta_die("out of memory (response header)");
}

static void answer(struct request *req, unsigned status, const char *text, size_t n,
	enum MHD_ResponseMemoryMode mode)
{
	if (req->response)
		MHD_destroy_response(req->response);
	req->response = MHD_create_response_from_buffer(n, (void *)(uintptr_t)text, mode);
	if (!req->response)
		ta_die("out of memory (response)");
	req->status = status;
	secure(req->response);
}

void request_json(struct request *req, unsigned status, const char *json)
{
	answer(req, status, json, strlen(json), MHD_RESPMEM_MUST_COPY);
}

/* The answer to every stored webhook is made once and shared; libmicrohttpd counts references,
 * and ours is never given back. */
void request_ok(struct request *req)
{
	static const char text[] = "{\"ok\":true}\n";
	static struct MHD_Response *ok;
	if (!ok) {
		answer(req, MHD_HTTP_OK, text, sizeof(text) - 1, MHD_RESPMEM_PERSISTENT);
		ok = req->response;
		req->response = NULL;
	}
	req->status = MHD_HTTP_OK;
	req->shared = ok;
}

void request_error(struct request *req, unsigned status, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_t *o = json_pack("{s:s}", "error", text);
	char *json = o ? json_dumps(o, JSON_COMPACT) : NULL;
	request_json(req, status, json ? json : "{\"error\":\"the request cannot be answered\"}");
	free(json);
	json_decref(o);
}

void request_add_header(struct request *req, const char *name, const char *value)
{
	if (req->response && MHD_add_response_header(req->response, name, value) != MHD_YES)
		ta_die("out of memory (response header)");
}

void request_add_cors(struct request *req)
{
	const char *origin = request_header(req, "Origin");
	bool known = origin && strlen(origin) < 256 &&
		     (strcmp(origin, "null") == 0 || strncmp(origin, "https://", 8) == 0 ||
			     strncmp(origin, "http://", 7) == 0);
	request_add_header(req, "Vary", "Origin");
	if (known)
		request_add_header(req, "Access-Control-Allow-Origin", origin);
}

void request_busy(struct request *req, const char *why)
{
	keeper_add(request_keeper(req), COUNT_BUSY, 1);
	request_error(req, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", why);
	request_add_header(req, "Retry-After", "5");
}

/* Storing ---------------------------------------------------------------------------------------
 */

void request_store(struct request *req, struct job *job, void (*stored)(struct request *req))
{
	char why[160];
	if (keeper_disk_low(request_keeper(req), why)) {
		job_free(job);
		request_busy(req, why);
		return;
	}
	job->owner = req;
	req->job = job;
	req->stored = stored;
	req->waiting = true;
	if (!writer_push(request_writer(req), job)) {
		req->job = NULL;
		req->waiting = false;
		job_free(job);
		request_busy(req, "too much is waiting to be stored; try again in a few seconds");
	}
}

const char *job_text(struct job *j, const char *s, size_t max)
{
	if (!s || !*s)
		return "";
	size_t n = strnlen(s, max);
	char *to = arena_alloc(&j->mem, n + 1);
	copy_printable(to, s, n);
	return to;
}

void job_body(struct job *j, struct inbox_row *row, const void *body, size_t n)
{
	void *packed = arena_alloc(&j->mem, lz_bound(n));
	crypto_sha256(body, n, row->body_hash);
	row->body = packed;
	row->nbody = lz_pack(body, n, packed);
	j->bytes += row->nbody;
}
