#include "net/sandbox.h"

#include "net/sandbox_book.h"
#include "net/sandbox_check.h"
#include "net/sandbox_fault.h"
#include "net/sandbox_pool.h"
#include "net/sandbox_tls.h"
#include "src/clock.h"
#include "src/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define BODY_MAX   ((size_t)64 << 20)
#define HANG_US    (120 * US_PER_S) /* then a hanging connection is closed after all */
#define RECEIVED_N 1000             /* events of one answer unless asked for more */

enum stage { READING, WAITING, ANSWERING, CLOSING };

struct request {
	struct buf body;
	enum stage stage;
	struct MHD_Connection *con;
	struct MHD_Response *response;
	unsigned status;
	int64_t due_us;       /* of WAITING, monotonic */
	enum stage then;      /* what follows WAITING */
	struct request *next; /* waiting list, by due_us */
};

struct server {
	struct MHD_Daemon *daemon;
	struct tls_side tls;
	struct fault_set faults;
	struct book *book;
	struct request *waiting;
	int signals;
	int port;
	char host[64];
};

/* --- answers ------------------------------------------------------------------------------ */

static void set_response(struct request *rq, unsigned status, struct buf *b, const char *type)
{
	size_t n = b->len;
	rq->response = MHD_create_response_from_buffer(n, buf_detach(b), MHD_RESPMEM_MUST_FREE);
	TA_ASSERT(rq->response);
	rq->status = status;
	rq->stage = ANSWERING;
	MHD_add_response_header(rq->response, "Content-Type", type);
}

struct half {
	char *p;
	size_t send;
};

static ssize_t send_half(void *cls, uint64_t pos, char *out, size_t max)
{
	struct half *h = cls;
	if (pos >= h->send)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	size_t n = TA_MIN(max, h->send - (size_t)pos);
	memcpy(out, h->p + pos, n);
	return (ssize_t)n;
}

static void free_half(void *cls)
{
	struct half *h = cls;
	free(h->p);
	free(h);
}

/* Promises the whole body, sends half of it, closes. */
static void set_truncated(struct request *rq, struct sb_answer *a)
{
	struct half *h = ta_alloc(sizeof(*h));
	size_t n = a->body.len;
	h->send = n / 2;
	h->p = buf_detach(&a->body);
	rq->response = MHD_create_response_from_callback(n, 4096, send_half, h, free_half);
	TA_ASSERT(rq->response);
	rq->status = (unsigned)a->http;
	rq->stage = ANSWERING;
	MHD_add_response_header(rq->response, "Content-Type", a->type);
}

static void set_answer(struct request *rq, struct sb_answer *a)
{
	char seconds[24];
	set_response(rq, (unsigned)a->http, &a->body, a->type);
	if (!a->reset_s)
		return;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)a->reset_s);
	MHD_add_response_header(rq->response, "X-RateLimit-Reset", seconds);
	MHD_add_response_header(rq->response, "X-RateLimit-Remaining", "0");
}

/* --- platforms ---------------------------------------------------------------------------- */

static void record(struct server *s, const struct sb_platform *pf, const struct sb_answer *a)
{
	int64_t now_us = clock_now_us();
	for (size_t i = 0; i < a->nok; i++) {
		const struct sb_accepted *ok = &a->ok[i];
		const struct book_event ev = {
			pf->id, a->account, ok->name, ok->id, a->test, ok->content};
		book_add(s->book, &ev, now_us);
	}
}

/* Faults that take nothing: the answer is replaced. Returns false for the others. */
static bool refuse_by_fault(
	const struct sb_platform *pf, const struct fault *f, struct sb_answer *a)
{
	switch (f->kind) {
	case FAULT_STATUS:
		sb_answer_start(a, (int)f->value);
		buf_addf(&a->body, "{\"code\":%lld,\"message\":\"Injected fault.\"}",
			(long long)f->value);
		break;
	case FAULT_HTML:
		sb_answer_start(a, 502);
		a->type = "text/html";
		buf_adds(&a->body,
			"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n");
		break;
	case FAULT_RATE_LIMIT:
		pf->refuse(a, SB_REFUSE_RATE);
		a->http = 429;
		a->reset_s = f->value;
		break;
	case FAULT_AUTH:
		pf->refuse(a, SB_REFUSE_AUTH);
		break;
	case FAULT_CODE:
		sb_refuse_code(pf->id, f->value, f->subcode, 0, a);
		break;
	case FAULT_LATENCY:
	case FAULT_TRUNCATE:
	case FAULT_RESET:
	case FAULT_HANG:
	case FAULT_EVENT_FAIL:
	case FAULT_PARTIAL:
	case FAULT_EVENT_CODE:
	case FAULT_TLS_EXPIRED:
	case FAULT_TLS_WRONG_NAME:
	case FAULT_TLS_UNKNOWN_CA:
	case FAULT_TLS_HANDSHAKE:
	case FAULT_TLS_REFUSE:
	case FAULT_KINDS:
		return false;
	}
	a->nok = 0;
	a->warned = 0;
	return true;
}

/* One event at fault refuses the request. */
static void refuse_by_event(
	const struct server *s, const struct sb_platform *pf, struct sb_answer *a)
{
	for (size_t i = 0; i < a->nok; i++) {
		const struct fault *f =
			fault_event_code(&s->faults, pf->id, a->account, a->ok[i].id);
		if (f) {
			sb_refuse_code(pf->id, f->value, f->subcode, i, a);
			return;
		}
	}
}

static void put_aside(struct server *s, struct request *rq, int64_t delay_us, enum stage then)
{
	struct request **at = &s->waiting;
	rq->stage = WAITING;
	rq->then = then;
	rq->due_us = clock_mono_us() + delay_us;
	while (*at && (*at)->due_us <= rq->due_us)
		at = &(*at)->next;
	rq->next = *at;
	*at = rq;
	MHD_suspend_connection(rq->con);
}

static const char *header(struct request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->con, MHD_HEADER_KIND, name);
}

static const char *argument(struct request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->con, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result add_argument(
	void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct buf *b = cls;
	(void)kind;
	buf_addf(b, "%s%s=%s", b->len ? "&" : "", name, value ? value : "");
	return MHD_YES;
}

static void serve_platform(struct server *s, const struct sb_platform *pf, struct request *rq,
	const char *method, const char *path)
{
	struct sb_answer a;
	int64_t delay_us = 0;
	struct buf query = BUF_INIT(65536);
	(void)MHD_get_connection_values(rq->con, MHD_GET_ARGUMENT_KIND, add_argument, &query);
	const struct sb_call call = {.method = method,
		.path = path,
		.content_type = header(rq, "Content-Type"),
		.authorization = header(rq, "Authorization"),
		.access_token = header(rq, "Access-Token"),
		.query_token = argument(rq, "access_token"),
		.query_test = argument(rq, "test"),
		.query = buf_str(&query),
		.body = buf_str(&rq->body),
		.len = rq->body.len,
		.now_s = clock_now_s(),
		.faults = &s->faults};
	sb_answer_init(&a);
	pf->handle(&call, &a);
	refuse_by_event(s, pf, &a);
	buf_release(&query);
	const struct fault *f =
		a.asks ? NULL : fault_request(&s->faults, pf->id, a.account, &delay_us);
	if (f)
		refuse_by_fault(pf, f, &a);
	record(s, pf, &a);
	bool hang = f && f->kind == FAULT_HANG, reset = f && f->kind == FAULT_RESET;
	const struct book_request br = {.platform = pf->id,
		.account = a.account,
		.n = a.n,
		.refused = a.n - a.nok,
		.warned = a.warned,
		.http = hang || reset ? 0 : a.http};
	if (!a.asks)
		book_request(s->book, &br);
	rq->stage = CLOSING;
	if (f && f->kind == FAULT_TRUNCATE)
		set_truncated(rq, &a);
	else if (!hang && !reset)
		set_answer(rq, &a);
	sb_answer_release(&a);
	if (hang)
		put_aside(s, rq, HANG_US, CLOSING);
	else if (delay_us)
		put_aside(s, rq, delay_us, rq->stage);
}

/* --- the sandbox's own pages -------------------------------------------------------------- */

static void set_error(struct request *rq, unsigned status, const char *text)
{
	struct buf b = BUF_INIT(4096);
	buf_adds(&b, "{\"error\":");
	sb_json_string(&b, text);
	buf_adds(&b, "}\n");
	set_response(rq, status, &b, "application/json");
}

static void serve_received(struct server *s, struct request *rq, const char *method)
{
	struct buf b = BUF_INIT((size_t)512 << 20);
	const char *limit = argument(rq, "limit"), *conflicts = argument(rq, "conflicts");
	long n = limit ? strtol(limit, NULL, 10) : RECEIVED_N;
	const struct book_filter f = {.platform = argument(rq, "platform"),
		.account = argument(rq, "account"),
		.event_id = argument(rq, "event_id"),
		.event = argument(rq, "event"),
		.conflicts = conflicts && *conflicts != '0',
		.limit = n > 0 ? (size_t)n : 0};
	if (strcmp(method, "DELETE") == 0) {
		book_reset(s->book);
		buf_adds(&b, "{}\n");
	} else {
		book_write_received(s->book, &f, &b);
	}
	set_response(rq, 200, &b, "application/json");
}

static void serve_summary(struct server *s, struct request *rq, const char *method)
{
	struct buf b = BUF_INIT((size_t)4 << 20);
	(void)method;
	book_write_summary(s->book, &b);
	set_response(rq, 200, &b, "application/json");
}

static void serve_seconds(struct server *s, struct request *rq, const char *method)
{
	struct buf b = BUF_INIT((size_t)4 << 20);
	(void)method;
	book_write_seconds(s->book, &b);
	set_response(rq, 200, &b, "application/json");
}

static void serve_fault(struct server *s, struct request *rq, const char *method)
{
	struct buf b = BUF_INIT(65536);
	struct ta_err err = {0};
	struct fault_set now = s->faults;
	bool put = strcmp(method, "PUT") == 0; /* in the place of those before, at once */
	if (put || strcmp(method, "DELETE") == 0)
		fault_clear(&now);
	if ((put || strcmp(method, "POST") == 0) && fault_add(&now, buf_str(&rq->body), &err)) {
		set_error(rq, 400, err.msg);
		return;
	}
	s->faults = now;
	fault_print(&s->faults, &b);
	buf_addc(&b, '\n');
	set_response(rq, 200, &b, "application/json");
}

static const struct {
	const char *path;
	void (*serve)(struct server *s, struct request *rq, const char *method);
} pages[] = {
	{"/_sandbox/received", serve_received},
	{"/_sandbox/summary", serve_summary},
	{"/_sandbox/seconds", serve_seconds},
	{"/_sandbox/fault", serve_fault},
};

static void serve_url(struct server *s, struct request *rq, const char *method, const char *url)
{
	for (size_t i = 0; i < TA_COUNT(pages); i++)
		if (strcmp(url, pages[i].path) == 0) {
			pages[i].serve(s, rq, method);
			return;
		}
	for (size_t i = 0; i < SANDBOX_ROWS; i++) {
		const struct sb_platform *pf = &sandbox_platforms[i];
		size_t n = strlen(pf->base);
		if (strncmp(url, pf->base, n) == 0 && url[n] == '/') {
			serve_platform(s, pf, rq, method, url + n);
			return;
		}
	}
	set_error(
		rq, 404, "no platform answers at this path; trackai sandbox prints the base URLs");
}

/* --- the server --------------------------------------------------------------------------- */

static enum MHD_Result start_request(struct MHD_Connection *con, void **state)
{
	struct request *rq = ta_alloc(sizeof(*rq));
	const char *len = MHD_lookup_connection_value(con, MHD_HEADER_KIND, "Content-Length");
	buf_init(&rq->body, BODY_MAX);
	rq->con = con;
	*state = rq;
	if (len && strtoull(len, NULL, 10) > BODY_MAX) {
		set_error(rq, 413, "the body is larger than 64 MiB");
		return MHD_queue_response(con, rq->status, rq->response);
	}
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *con, const char *url,
	const char *method, const char *version, const char *data, size_t *ndata, void **state)
{
	struct request *rq = *state;
	(void)version;
	if (!rq)
		return start_request(con, state);
	if (*ndata) {
		buf_add(&rq->body, data, *ndata);
		*ndata = 0;
		return rq->body.over ? MHD_NO : MHD_YES;
	}
	if (rq->stage == READING)
		serve_url(cls, rq, method, url);
	if (rq->stage == WAITING)
		return MHD_YES;
	if (rq->stage == CLOSING)
		return MHD_NO;
	return MHD_queue_response(con, rq->status, rq->response);
}

static void on_done(
	void *cls, struct MHD_Connection *con, void **state, enum MHD_RequestTerminationCode how)
{
	struct server *s = cls;
	struct request *rq = *state;
	(void)con;
	(void)how;
	if (!rq)
		return;
	for (struct request **at = &s->waiting; *at; at = &(*at)->next)
		if (*at == rq) {
			*at = rq->next;
			break;
		}
	if (rq->response)
		MHD_destroy_response(rq->response);
	buf_release(&rq->body);
	free(rq);
	*state = NULL;
}

/* Resumes what is due; returns milliseconds to the next, -1 if nothing waits. */
static int wake(struct server *s, bool all)
{
	int64_t now = clock_mono_us();
	while (s->waiting && (all || s->waiting->due_us <= now)) {
		struct request *rq = s->waiting;
		s->waiting = rq->next;
		rq->next = NULL;
		rq->stage = all ? CLOSING : rq->then;
		MHD_resume_connection(rq->con);
	}
	return s->waiting ? (int)((s->waiting->due_us - now + 999) / 1000) : -1;
}

static int shorter(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : TA_MIN(a, b);
}

/* The nth daemon, NULL behind the last: http, then those of https. */
static struct MHD_Daemon *daemon_at(const struct server *s, size_t i)
{
	return i == 0 ? s->daemon : i <= TLS_DAEMONS ? s->tls.daemon[i - 1] : NULL;
}

static void run_daemons(struct server *s)
{
	struct MHD_Daemon *d;
	for (size_t i = 0; (d = daemon_at(s, i)); i++)
		MHD_run(d);
}

static int idle_ms(struct server *s)
{
	struct MHD_Daemon *d;
	MHD_UNSIGNED_LONG_LONG ms;
	int timeout = wake(s, false);
	for (size_t i = 0; (d = daemon_at(s, i)); i++)
		if (MHD_get_timeout(d, &ms) == MHD_YES)
			timeout = shorter(timeout, (int)TA_MIN(ms, 60000u));
	return timeout;
}

/* libmicrohttpd's epoll set is polled by us: its own epoll thread stalls with more than 128 busy
 * connections. */
static void loop(struct server *s)
{
	const union MHD_DaemonInfo *epoll =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[3 + TLS_DAEMONS] = {{.fd = epoll->epoll_fd, .events = POLLIN},
		{.fd = s->signals, .events = POLLIN}, {.fd = s->tls.listener, .events = POLLIN}};
	nfds_t n = 3;
	for (size_t i = 0; i < TLS_DAEMONS && s->tls.daemon[i]; i++) {
		epoll = MHD_get_daemon_info(s->tls.daemon[i], MHD_DAEMON_INFO_EPOLL_FD);
		fds[n++] = (struct pollfd){.fd = epoll->epoll_fd, .events = POLLIN};
	}
	for (;;) {
		if (poll(fds, n, idle_ms(s)) < 0 && errno != EINTR)
			break;
		struct signalfd_siginfo taken; /* unread, it would strike when unblocked */
		if (fds[1].revents && read(s->signals, &taken, sizeof(taken)) > 0)
			break;
		wake(s, false);
		if (fds[2].revents)
			tls_accept(&s->tls, &s->faults);
		run_daemons(s);
	}
	wake(s, true);
	run_daemons(s);
}

static enum ta_rc resolve(
	const char *listen_at, struct server *s, struct sockaddr_storage *sa, struct ta_err *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;
	enum ta_rc rc = conf_address(listen_at, s->host, &s->port, err);
	if (rc)
		return rc;
	memset(sa, 0, sizeof(*sa));
	if (strcmp(s->host, "localhost") == 0)
		snprintf(s->host, sizeof(s->host), "127.0.0.1");
	if (inet_pton(AF_INET, s->host, &v4->sin_addr) == 1 &&
		(ntohl(v4->sin_addr.s_addr) >> 24) == 127) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)s->port);
	} else if (inet_pton(AF_INET6, s->host, &v6->sin6_addr) == 1 &&
		   IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)s->port);
	} else {
		return ta_fail(err, TA_CONFIG,
			"the sandbox accepts any token and shows what it got, so it listens on the loopback "
			"only: %s is not a loopback address; use 127.0.0.1:PORT",
			s->host);
	}
	return TA_OK;
}

static enum ta_rc start(struct server *s, const char *listen_at, struct ta_err *err)
{
	struct sockaddr_storage sa;
	enum ta_rc rc = resolve(listen_at, s, &sa, err);
	if (rc)
		return rc;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	if (sa.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	errno = 0;
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, &sa,
		MHD_OPTION_NOTIFY_COMPLETED, on_done, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)256 << 10, MHD_OPTION_CONNECTION_LIMIT, 4096u,
		MHD_OPTION_CONNECTION_TIMEOUT, 300u, MHD_OPTION_END);
	if (!s->daemon)
		return ta_fail(err, TA_CONFIG,
			"cannot listen on %s (%s): is another sandbox running there? choose another with "
			"--listen",
			listen_at, errno ? strerror(errno) : "address in use");
	const union MHD_DaemonInfo *port =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	if (port)
		s->port = port->port;
	return TA_OK;
}

static void announce(const struct server *s, const char *tls_dir)
{
	for (size_t i = 0; tls_dir && i < SANDBOX_ROWS; i++)
		printf("%s=https://127.0.0.1:%d%s\n", sandbox_platforms[i].env, s->tls.port,
			sandbox_platforms[i].base);
	if (tls_dir)
		printf("TRACKAI_CA_FILE=%s/ca.pem\n", tls_dir);
	const char *open = strchr(s->host, ':') ? "[" : "", *close_ = *open ? "]" : "";
	for (size_t i = 0; !tls_dir && i < SANDBOX_ROWS; i++)
		printf("%s=http://%s%s%s:%d%s\n", sandbox_platforms[i].env, open, s->host, close_,
			s->port, sandbox_platforms[i].base);
	puts("ready");
	fflush(stdout);
}

enum ta_rc sandbox_run(const struct sandbox_ask *ask, struct ta_err *err)
{
	struct server s = {.signals = -1, .tls.listener = -1};
	const struct tls_handlers handlers = {on_request, on_done, &s};
	sigset_t stop, before;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &stop, &before);
	s.signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	json_set_alloc_funcs(pool_malloc, pool_free);
	s.book = book_new((struct book_limits){400000, 2000});
	enum ta_rc rc = s.signals < 0 ? ta_fail_os(err, "signalfd") : TA_OK;
	if (!rc && ask->faults)
		rc = fault_add(&s.faults, ask->faults, err);
	if (!rc)
		rc = start(&s, ask->listen, err);
	if (!rc && ask->tls_dir)
		rc = tls_open(&s.tls, ask->tls_dir, &handlers, err);
	if (!rc) {
		announce(&s, ask->tls_dir);
		loop(&s);
	}
	tls_close(&s.tls);
	if (s.daemon)
		MHD_stop_daemon(s.daemon);
	book_free(s.book);
	json_set_alloc_funcs(malloc, free);
	if (s.signals >= 0)
		close(s.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}
