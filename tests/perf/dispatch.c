/* The dispatcher's bench: `perf_dispatch sink PORT` takes everything as the three platforms would,
 * at once; `perf_dispatch post PORT REQUESTS EVENTS` is the yardstick: the same amount of body
 * through bare libcurl, four connections a platform, nothing stored. Prints events per second. */
#include "src/attr.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/err.h"

#include <curl/curl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 12
#define EVENT_BYTES 480 /* what our builders make of the bench's orders */

struct upload {
	size_t events, tail;
	char last[16];
};

/* "event_id" may be cut by the edge of two pieces: the last bytes are looked at again. */
static void count(struct upload *u, const char *p, size_t n)
{
	static const char word[] = "\"event_id\"";
	const size_t len = sizeof(word) - 1;
	char edge[32];
	size_t head = TA_MIN(n, len - 1);
	memcpy(edge, u->last, u->tail);
	memcpy(edge + u->tail, p, head);
	if (u->tail && memmem(edge, u->tail + head, word, len))
		u->events++;
	for (const char *at = p; (at = memmem(at, (size_t)(p + n - at), word, len)); at += len)
		u->events++;
	u->tail = TA_MIN(n, len - 1);
	memcpy(u->last, p + n - u->tail, u->tail);
}

static void answer_text(struct buf *b, const char *url, size_t n)
{
	if (strstr(url, "tiktok")) {
		buf_adds(b, "{\"code\":0,\"message\":\"OK\",\"request_id\":\"1\",\"data\":{}}");
		return;
	}
	if (!strstr(url, "pinterest")) {
		buf_addf(b, "{\"events_received\":%zu,\"messages\":[],\"fbtrace_id\":\"x\"}", n);
		return;
	}
	buf_addf(b, "{\"num_events_received\":%zu,\"num_events_processed\":%zu,\"events\":[", n, n);
	for (size_t i = 0; i < n; i++)
		buf_addf(b,
			"%s{\"status\":\"processed\",\"error_message\":null,\"warning_message\":null}",
			i ? "," : "");
	buf_adds(b, "]}");
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **state)
{
	(void)cls;
	(void)method;
	(void)version;
	struct upload *u = *state;
	if (!u) {
		*state = ta_alloc(sizeof(*u));
		return MHD_YES;
	}
	if (*size) {
		count(u, data, *size);
		*size = 0;
		return MHD_YES;
	}
	struct buf b = BUF_INIT((size_t)1 << 20);
	answer_text(&b, url, u->events);
	size_t len = b.len;
	struct MHD_Response *r =
		MHD_create_response_from_buffer(len, buf_detach(&b), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result rc = MHD_queue_response(c, 200, r);
	MHD_destroy_response(r);
	free(u);
	*state = NULL;
	return rc;
}

static int sink(int port)
{
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, (uint16_t)port, NULL,
		NULL, on_request, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)256 << 10,
		MHD_OPTION_CONNECTION_LIMIT, 100u, MHD_OPTION_END);
	if (!d)
		ta_die("the sink cannot listen on port %d", port);
	puts("ready");
	fflush(stdout);
	for (;;)
		poll(NULL, 0, -1);
}

static size_t drop(char *p, size_t size, size_t n, void *data)
{
	(void)p;
	(void)data;
	return size * n;
}

static CURL *post_one(CURLM *m, CURL *e, const char *url, const struct buf *body)
{
	if (!e)
		e = curl_easy_init();
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, body->p);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop);
	curl_multi_add_handle(m, e);
	return e;
}

static void run_posts(CURLM *m, const char *url, const struct buf *body, long requests)
{
	long begun = 0, done = 0;
	int running, left;
	for (; begun < requests && begun < CONNECTIONS; begun++)
		post_one(m, NULL, url, body);
	while (done < requests) {
		curl_multi_perform(m, &running);
		CURLMsg *msg;
		while ((msg = curl_multi_info_read(m, &left))) {
			CURL *e = msg->easy_handle;
			if (msg->data.result)
				ta_die("%s", curl_easy_strerror(msg->data.result));
			curl_multi_remove_handle(m, e);
			done++;
			if (begun < requests) {
				post_one(m, e, url, body);
				begun++;
			} else {
				curl_easy_cleanup(e);
			}
		}
		curl_multi_poll(m, NULL, 0, 100, NULL);
	}
}

static int post(int port, long requests, long events)
{
	char url[80];
	struct buf body = BUF_INIT((size_t)8 << 20);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/meta/1/events", port);
	for (long i = 0; i < events; i++)
		buf_addf(&body, "{\"event_id\":\"%0*ld\"},", EVENT_BYTES - 16, i);
	CURLM *m = curl_multi_init();
	int64_t begun = clock_mono_us();
	run_posts(m, url, &body, requests);
	int64_t us = clock_mono_us() - begun;
	printf("%.0f\n", (double)(requests * events) * 1e6 / (double)us);
	curl_multi_cleanup(m);
	buf_release(&body);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return sink((int)strtol(argv[2], NULL, 10));
	if (argc == 5 && strcmp(argv[1], "post") == 0)
		return post((int)strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10),
			strtol(argv[4], NULL, 10));
	fputs("usage: perf_dispatch sink PORT | post PORT REQUESTS EVENTS\n", stderr);
	return 2;
}
