/* HTTP exchanges side by side on one thread: libcurl's multi interface with kept HTTP/1.1
 * connections and no cap per host. Plain http goes only to the loopback. Request headers and
 * bodies are never logged: they may hold a token. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "src/buf.h"
#include "src/err.h"

#include <stdint.h>

#define HTTP_CONNECT_MS 5000
#define HTTP_TOTAL_MS   30000
#define HTTP_REPLY_MAX  ((size_t)4 << 20)

struct http;

/* Everything is copied but the body, which must live until the exchange ends. */
struct http_request {
	const char *method, *url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	const char *secret_header;  /* one more, NULL if none */
	const void *body;           /* NULL and GET: none */
	size_t len;
	int total_ms; /* from start to answer; 0: HTTP_TOTAL_MS */
	void *tag;    /* given back with the reply */
};

/* A mail over SMTP (RFC 5321). Everything is copied but the message, which must live until the
 * exchange ends. A loopback is talked to as it is; any other server over TLS alone: smtps:// from
 * the first byte, smtp:// through STARTTLS. */
struct http_mail {
	const char *url;
	const char *user, *password;  /* "": nobody logs in */
	const char *from, *const *to; /* addresses; `to` NULL-terminated */
	const char *message;          /* RFC 5322, lines end in CRLF */
	size_t len;
	int total_ms; /* 0: HTTP_TOTAL_MS */
	void *tag;
};

enum http_end {
	HTTP_ANSWERED,  /* there is a status and a whole body, or a refusing status */
	HTTP_NOT_SENT,  /* certainly nothing reached the other side */
	HTTP_NO_ANSWER, /* sent, at least in part, and no usable answer: outcome unknown */
};

struct http_reply {
	enum http_end end;
	int status;            /* 0: none */
	struct buf body;       /* owned by the receiver: buf_release() */
	int64_t retry_after_s; /* Retry-After, else X-RateLimit-Reset; 0 none */
	int64_t ms;
	char error[160]; /* what went wrong, "" if nothing */
	void *tag;
};

/* Errors: TA_BUG (libcurl does not start). */
TA_MUST enum ta_rc http_open(struct http **out, struct ta_err *err);
/* Drops what is under way. NULL is fine. */
void http_close(struct http *h);
/* Starts an exchange. Errors: TA_CONFIG (a URL we do not talk to; a sentence). */
TA_MUST enum ta_rc http_start(struct http *h, const struct http_request *r, struct ta_err *err);
/* The same of a mail; its reply has no body, and the server's last code as the status. */
TA_MUST enum ta_rc http_mail_start(struct http *h, const struct http_mail *m, struct ta_err *err);
/* Moves everything along; returns the number of exchanges under way. */
int http_run(struct http *h);
/* Exchanges ended that http_next() has not handed out: waiting would leave them lying. */
bool http_ready(const struct http *h);
/* Waits for any exchange or one of the descriptors (readable; -1 is skipped), timeout_ms >= 0. */
void http_wait(struct http *h, const int *fds, size_t n, int timeout_ms);
/* The next finished exchange; false when there is none. */
bool http_next(struct http *h, struct http_reply *out);

/* https, or http to the loopback. */
bool http_url_allowed(const char *url);
/* smtp or smtps, to anywhere. */
bool http_mail_url_allowed(const char *url);

#endif
