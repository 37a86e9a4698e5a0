#include "net/http.h"

#include "src/conf.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEPT_CONNECTIONS 1024L

struct http {
	CURLM *multi;
	CURL **spare; /* handles that finished, kept for their buffers */
	size_t nspare, sspare;
	struct exchange *all; /* under way */
	int running;          /* started and not handed out by http_next() */
	int active;           /* of these, what libcurl still works on */
};

struct exchange {
	struct exchange *next, **prev;
	CURL *easy;
	struct curl_slist *headers; /* of a mail: its recipients */
	const char *message;        /* of a mail: what is not yet read of it */
	size_t left;
	struct buf body;
	char error[CURL_ERROR_SIZE];
	void *tag;
};

enum ta_rc http_open(struct http **out, struct ta_err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return ta_fail(err, TA_BUG, "libcurl does not start");
	struct http *h = ta_alloc(sizeof(*h));
	h->multi = curl_multi_init();
	if (!h->multi)
		ta_die("out of memory (libcurl)");
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
	*out = h;
	return TA_OK;
}

static void end_exchange(struct http *h, struct exchange *x)
{
	curl_multi_remove_handle(h->multi, x->easy);
	curl_slist_free_all(x->headers);
	curl_easy_reset(x->easy);
	if (h->nspare == h->sspare) {
		h->sspare = h->sspare ? h->sspare * 2 : 16;
		h->spare = ta_realloc(h->spare, h->sspare * sizeof(*h->spare));
	}
	h->spare[h->nspare++] = x->easy;
	*x->prev = x->next;
	if (x->next)
		x->next->prev = x->prev;
	buf_release(&x->body);
	free(x);
}

void http_close(struct http *h)
{
	if (!h)
		return;
	for (struct exchange *x = h->all, *next; x; x = next) {
		next = x->next;
		end_exchange(h, x);
	}
	for (size_t i = 0; i < h->nspare; i++)
		curl_easy_cleanup(h->spare[i]);
	free(h->spare);
	curl_multi_cleanup(h->multi);
	free(h);
}

static bool loopback(const char *host)
{
	struct in_addr a;
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127;
}

/* Is it an address of one of the two schemes? *local: on the loopback. */
static bool url_of(const char *url, const char *plain, const char *sealed, bool *local)
{
	char *scheme = NULL, *host = NULL;
	CURLU *u = curl_url();
	bool ok = u && !curl_url_set(u, CURLUPART_URL, url, 0) &&
		  !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
		  !curl_url_get(u, CURLUPART_HOST, &host, 0);
	*local = ok && loopback(host);
	ok = ok && (strcmp(scheme, sealed) == 0 || strcmp(scheme, plain) == 0);
	if (ok && strcmp(scheme, sealed) == 0)
		*local = false; /* sealed all the same */
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return ok;
}

bool http_url_allowed(const char *url)
{
	bool local;
	return url_of(url, "http", "https", &local) &&
	       (local || strncasecmp(url, "https:", 6) == 0);
}

bool http_mail_url_allowed(const char *url)
{
	bool local;
	return url_of(url, "smtp", "smtps", &local);
}

/* More than the cap ends the exchange: a short count makes libcurl give up. */
static size_t on_body(char *p, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	buf_add(&x->body, p, size * n);
	return x->body.over ? 0 : size * n;
}

static void add_header(struct exchange *x, const char *line)
{
	struct curl_slist *more = curl_slist_append(x->headers, line);
	if (!more)
		ta_die("out of memory (libcurl)");
	x->headers = more;
}

static void set_method(CURL *e, const struct http_request *r)
{
	if (!r->body && strcmp(r->method, "GET") == 0) {
		curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
		return;
	}
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->len);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body);
}

static void set_common(struct exchange *x, int total_ms)
{
	CURL *e = x->easy;
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	if (*conf_get(CONF_CA_FILE))
		curl_easy_setopt(e, CURLOPT_CAINFO, conf_get(CONF_CA_FILE));
	curl_easy_setopt(e, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(total_ms ? total_ms : HTTP_TOTAL_MS));
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(e, CURLOPT_PRIVATE, x);
}

static void set_up(struct exchange *x, const struct http_request *r)
{
	CURL *e = x->easy;
	for (size_t i = 0; r->headers && r->headers[i]; i++)
		add_header(x, r->headers[i]);
	if (r->secret_header)
		add_header(x, r->secret_header);
	add_header(x, "Expect:"); /* no round trip before the body */
	set_common(x, r->total_ms);
	curl_easy_setopt(e, CURLOPT_URL, r->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	set_method(e, r);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "trackai/" TA_VERSION);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
}

static size_t on_message(char *to, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	size_t k = TA_MIN(size * n, x->left);
	memcpy(to, x->message, k);
	x->message += k;
	x->left -= k;
	return k;
}

static void set_up_mail(struct exchange *x, const struct http_mail *m, bool local)
{
	CURL *e = x->easy;
	char from[300];
	for (size_t i = 0; m->to[i]; i++)
		add_header(x, m->to[i]);
	x->message = m->message;
	x->left = m->len;
	snprintf(from, sizeof(from), "<%s>", m->from);
	set_common(x, m->total_ms);
	curl_easy_setopt(e, CURLOPT_URL, m->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(e, CURLOPT_USE_SSL, local ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(e, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(e, CURLOPT_MAIL_RCPT, x->headers);
	curl_easy_setopt(e, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* the others get it */
	curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)m->len);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_message);
	curl_easy_setopt(e, CURLOPT_READDATA, x);
	if (*m->user) {
		curl_easy_setopt(e, CURLOPT_USERNAME, m->user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, m->password);
	}
}

static struct exchange *new_exchange(struct http *h, void *tag)
{
	struct exchange *x = ta_alloc(sizeof(*x));
	x->easy = h->nspare ? h->spare[--h->nspare] : curl_easy_init();
	if (!x->easy)
		ta_die("out of memory (libcurl)");
	x->tag = tag;
	buf_init(&x->body, HTTP_REPLY_MAX);
	return x;
}

static void add_exchange(struct http *h, struct exchange *x)
{
	x->next = h->all;
	x->prev = &h->all;
	if (h->all)
		h->all->prev = &x->next;
	h->all = x;
	h->running++;
	h->active++;
	CURLMcode rc = curl_multi_add_handle(h->multi, x->easy);
	if (rc)
		ta_die("libcurl: %s", curl_multi_strerror(rc));
}

enum ta_rc http_start(struct http *h, const struct http_request *r, struct ta_err *err)
{
	if (!http_url_allowed(r->url))
		return ta_fail(err, TA_CONFIG,
			"%.120s is not an address we send to: it must be https, or http to the "
			"loopback; check the platform's url setting (trackai conf)",
			r->url);
	struct exchange *x = new_exchange(h, r->tag);
	set_up(x, r);
	add_exchange(h, x);
	return TA_OK;
}

enum ta_rc http_mail_start(struct http *h, const struct http_mail *m, struct ta_err *err)
{
	bool local;
	if (!url_of(m->url, "smtp", "smtps", &local))
		return ta_fail(
			err, TA_CONFIG, "smtp url: %.120s is neither smtp:// nor smtps://", m->url);
	struct exchange *x = new_exchange(h, m->tag);
	set_up_mail(x, m, local);
	add_exchange(h, x);
	return TA_OK;
}

bool http_ready(const struct http *h)
{
	return h->active < h->running;
}

int http_run(struct http *h)
{
	int running = 0;
	CURLMcode rc = curl_multi_perform(h->multi, &running);
	h->active = running;
	if (rc)
		ta_die("libcurl: %s", curl_multi_strerror(rc));
	return h->running;
}

#define WAIT_FDS 8

void http_wait(struct http *h, const int *fds, size_t n, int timeout_ms)
{
	struct curl_waitfd extra[WAIT_FDS];
	unsigned count = 0;
	TA_ASSERT(n <= WAIT_FDS);
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			extra[count++] = (struct curl_waitfd){fds[i], CURL_WAIT_POLLIN, 0};
	(void)curl_multi_poll(h->multi, extra, count, timeout_ms, NULL);
}

static int64_t header_number(CURL *e, const char *name)
{
	struct curl_header *v;
	if (curl_easy_header(e, name, 0, CURLH_HEADER, -1, &v))
		return 0;
	char *end;
	long long n = strtoll(v->value, &end, 10);
	return end != v->value && n > 0 ? n : 0;
}

static bool certainly_unsent(CURL *e, CURLcode code)
{
	long sent = 0;
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
		code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_SSL_CONNECT_ERROR ||
		code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT ||
		code == CURLE_SSL_CACERT_BADFILE)
		return true;
	return !curl_easy_getinfo(e, CURLINFO_REQUEST_SIZE, &sent) && sent == 0;
}

static enum http_end end_of(CURL *e, CURLcode code, int status)
{
	if (code == CURLE_OK || (status >= 400 && code == CURLE_PARTIAL_FILE))
		return HTTP_ANSWERED;
	return certainly_unsent(e, code) ? HTTP_NOT_SENT : HTTP_NO_ANSWER;
}

/* What went wrong, for people. The numbers are OpenSSL's (X509_V_ERR_…). */
static void explain(CURL *e, CURLcode code, const char *said, char out[160])
{
	long verified = 0;
	const char *what = "";
	curl_easy_getinfo(e, CURLINFO_SSL_VERIFYRESULT, &verified);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		what = strstr(said, "subject name") ? "TLS: the certificate names another host: "
		       : verified == 10             ? "TLS: the certificate has expired: "
		       : verified == 9              ? "TLS: the certificate is not valid yet: "
				       : "TLS: the certificate is of an unknown authority: ";
	else if (code == CURLE_SSL_CONNECT_ERROR)
		what = "TLS: the handshake broke off: ";
	else if (code == CURLE_SSL_CACERT_BADFILE)
		what = "TLS: the ca file cannot be read: ";
	snprintf(out, 160, "%s%.105s", what, said);
}

bool http_next(struct http *h, struct http_reply *out)
{
	CURLMsg *m;
	int left;
	do {
		m = curl_multi_info_read(h->multi, &left);
	} while (m && m->msg != CURLMSG_DONE);
	if (!m)
		return false;
	struct exchange *x;
	CURL *e = m->easy_handle;
	CURLcode code = m->data.result;
	long status = 0;
	curl_off_t us = 0, after = 0;
	curl_easy_getinfo(e, CURLINFO_PRIVATE, (char **)&x);
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(e, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_getinfo(e, CURLINFO_RETRY_AFTER, &after);
	*out = (struct http_reply){.status = (int)status, .ms = us / 1000, .tag = x->tag};
	out->end = end_of(e, code, (int)status);
	out->retry_after_s = after > 0 ? after : header_number(e, "X-RateLimit-Reset");
	if (code)
		explain(e, code, *x->error ? x->error : curl_easy_strerror(code), out->error);
	out->body = x->body;
	x->body = (struct buf){0};
	h->running--;
	end_exchange(h, x);
	return true;
}
