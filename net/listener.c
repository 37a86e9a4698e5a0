#include "net/listener.h"

#include "db/caller.h"
#include "net/keeper.h"
#include "net/limit.h"
#include "net/request.h"
#include "net/route.h"
#include "src/clock.h"
#include "src/conf.h"
#include "src/log.h"
#include "src/role.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_US   (4 * US_PER_S) /* requests under way when told to stop */
#define START_US   (3 * US_PER_S)
#define JOIN_MS    4000
#define BODIES_MAX (UINT64_C(256) << 20) /* bytes of bodies held at once */
#define SKIP_BODY  65536 /* a refused body of this size is read, so that the connection lives on */
#define POOL_BYTES ((size_t)32768)
#define BACKLOG    1024u

struct listener {
	const struct role *role;
	struct MHD_Daemon *mhd;
	struct writer *writer;
	struct keeper *keeper;
	struct limits *limits;
	struct callers *callers;
	unsigned generation;
	struct conns conns;
	uint64_t body_bytes;
	size_t active;  /* requests under way */
	int64_t now_us; /* monotonic, of this round */
	bool draining;
};

const struct callers *request_callers(const struct request *req)
{
	struct listener *l = req->listener;
	keeper_callers(l->keeper, &l->callers, &l->generation);
	return l->callers;
}

struct keeper *request_keeper(const struct request *req)
{
	return req->listener->keeper;
}

struct writer *request_writer(const struct request *req)
{
	return req->listener->writer;
}

struct limits *request_limits(const struct request *req)
{
	return req->listener->limits;
}

/* libmicrohttpd's callbacks ------------------------------------------------------------------- */

static void name_peer(struct conn *c, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	c->fd = fd ? fd->connect_fd : -1;
	if (!i || !i->client_addr)
		return;
	const struct sockaddr *sa = i->client_addr;
	socklen_t n = sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						: sizeof(struct sockaddr_in);
	if (getnameinfo(sa, n, c->remote, sizeof(c->remote), NULL, 0, NI_NUMERICHOST))
		c->remote[0] = '\0';
	if (strncmp(c->remote, "::ffff:", 7) == 0)
		memmove(c->remote, c->remote + 7, strlen(c->remote + 7) + 1);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct listener *l = cls;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		struct conn *c = ta_alloc(sizeof(*c));
		name_peer(c, mhd);
		conns_add(&l->conns, c, l->now_us);
		*context = c;
	} else if (*context) {
		conns_remove(&l->conns, *context);
		free(*context);
		*context = NULL;
	}
	keeper_add(l->keeper, COUNT_CONNECTIONS, what == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1);
}

static void on_completed(
	void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct listener *l = cls;
	struct request *req = *context;
	(void)mhd;
	(void)code;
	if (!req)
		return;
	*context = NULL;
	if (req->waiting)
		req->job->owner = NULL; /* the writer still has it */
	else
		job_free(req->job);
	if (req->response)
		MHD_destroy_response(req->response);
	if (req->conn) {
		req->conn->req = NULL;
		conns_phase(&l->conns, req->conn, PHASE_IDLE, l->now_us);
	}
	l->body_bytes -= req->size;
	l->active--;
	free(req->body);
	free(req);
}

static enum MHD_Result send_answer(struct request *req)
{
	struct listener *l = req->listener;
	if (!req->response && !req->shared)
		request_error(
			req, 500, "the request was not answered; this is a fault of the listener");
	if (req->cors)
		request_add_cors(req);
	if (l->draining && req->response)
		request_add_header(req, "Connection", "close");
	req->queued = true;
	if (req->conn)
		conns_phase(&l->conns, req->conn, PHASE_ANSWER, l->now_us);
	return MHD_queue_response(
		req->mhd, req->status, req->response ? req->response : req->shared);
}

/* Length announced by the sender, 0 if none (chunked or no body). */
static uint64_t declared_length(const struct request *req)
{
	const char *s = request_header(req, "Content-Length");
	return s ? strtoull(s, NULL, 10) : 0;
}

/* Does a page ask that may ask here? It shall read a refusal, too. */
static bool from_page(const struct request *req, const char *url)
{
	char allow[64];
	return route_find("OPTIONS", url, allow) && !request_header(req, "Authorization");
}

/* What can be refused by the head alone. */
static void check_head(struct request *req, const char *url, const char *method)
{
	struct listener *l = req->listener;
	char allow[64];
	req->cors = from_page(req, url);
	uint64_t length = declared_length(req);
	req->route = route_find(method, url, allow);
	if (!req->route && *allow) {
		request_error(req, 405, "%.20s is not possible here; allowed: %s", method, allow);
		request_add_header(req, "Allow", allow);
	} else if (!req->route) {
		request_error(req, 404, "there is nothing at this path");
	} else if (length > req->route->limit) {
		request_error(req, 413, "the body is larger than %zu bytes", req->route->limit);
	} else if (l->draining) {
		request_busy(req, "the listener is stopping; try again in a few seconds");
	} else if (l->body_bytes + length > BODIES_MAX) {
		request_busy(req, "too many large bodies at once; try again in a few seconds");
	}
}

static enum MHD_Result begin(struct listener *l, struct MHD_Connection *mhd, const char *url,
	const char *method, void **context)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct request *req = ta_alloc(sizeof(*req));
	req->listener = l;
	req->mhd = mhd;
	req->conn = i ? i->socket_context : NULL;
	*context = req;
	l->active++;
	keeper_add(l->keeper, COUNT_REQUESTS, 1);
	if (req->conn) {
		req->conn->req = req;
		conns_phase(&l->conns, req->conn, PHASE_BODY, l->now_us);
	}
	check_head(req, url, method);
	bool skip = declared_length(req) <= SKIP_BODY && !request_header(req, "Transfer-Encoding");
	return req->response && !skip ? send_answer(req) : MHD_YES;
}

/* Keeps a piece of the body; false when a chunked one has grown past the limit. */
static bool keep(struct request *req, const char *data, size_t n)
{
	struct listener *l = req->listener;
	size_t limit = req->route ? req->route->limit : 0;
	if (req->response)
		return true; /* refused by its head: read and dropped */
	if (req->nbody + n > limit || l->body_bytes > BODIES_MAX)
		return false;
	if (req->nbody + n + 1 > req->size) {
		uint64_t length = TA_MIN(declared_length(req), (uint64_t)limit);
		size_t size = TA_MAX(req->nbody + n, (size_t)length) + 1;
		if (!length)
			size = TA_MIN(size * 2, limit + 1);
		req->body = ta_realloc(req->body, size);
		l->body_bytes += size - req->size;
		req->size = size;
	}
	memcpy(req->body + req->nbody, data, n);
	req->nbody += n;
	req->body[req->nbody] = '\0';
	return true;
}

/* The body is whole: answer, or hand over and wait. */
static enum MHD_Result finish(struct request *req)
{
	struct listener *l = req->listener;
	if (!req->response && req->route)
		req->route->handle(req);
	if (!req->waiting)
		return send_answer(req);
	if (req->conn)
		conns_phase(&l->conns, req->conn, PHASE_STORE, l->now_us);
	MHD_suspend_connection(req->mhd);
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *n, void **context)
{
	struct request *req = *context;
	(void)version;
	if (!req)
		return begin(cls, mhd, url, method, context);
	if (req->queued)
		return MHD_YES;
	if (*n) {
		bool kept = keep(req, data, *n);
		*n = 0;
		return kept ? MHD_YES : MHD_NO;
	}
	return req->resumed ? send_answer(req) : finish(req);
}

/* The loop ----------------------------------------------------------------------------------- */

static void resume(struct request *req)
{
	req->waiting = false;
	req->resumed = true;
	MHD_resume_connection(req->mhd);
}

/* Jobs that came back from the writer: answer those that still wait. */
static void take_done(struct listener *l)
{
	for (struct job *j = writer_take(l->writer), *next; j; j = next) {
		struct request *req = j->owner;
		next = j->next;
		if (!req) {
			job_free(j);
			continue;
		}
		if (j->state == JOB_STORED)
			req->stored(req);
		else
			request_busy(req,
				"not stored: the database does not answer; try again in a few "
				"seconds");
		resume(req);
	}
}

/* Waited too long for its commit: 503. Its rows may still be stored; the sender comes again and is
 * recognised. */
static void give_up(struct listener *l, struct conn *c)
{
	struct request *req = c->req;
	conns_phase(&l->conns, c, PHASE_ANSWER, l->now_us);
	if (!req || !req->waiting)
		return;
	req->job->owner = NULL;
	req->job = NULL;
	request_busy(req, "not stored: the database did not answer within 3 seconds");
	resume(req);
}

static void check_deadlines(struct listener *l)
{
	struct conn *c;
	while ((c = conns_late(&l->conns, l->now_us))) {
		if (c->phase == PHASE_STORE) {
			give_up(l, c);
			continue;
		}
		/* libmicrohttpd sees the end of the stream and closes. */
		shutdown(c->fd, SHUT_RDWR);
		conns_phase(&l->conns, c, PHASE_IDLE, l->now_us);
	}
}

static int wait_ms(struct listener *l)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int wait = conns_wait_ms(&l->conns, l->now_us);
	if (MHD_get_timeout(l->mhd, &ms) == MHD_YES && (wait < 0 || ms < (unsigned)wait))
		wait = (int)ms;
	return wait;
}

static void round_once(struct listener *l, int epoll_fd, int most_ms)
{
	struct pollfd p[3] = {{.fd = epoll_fd, .events = POLLIN},
		{.fd = writer_fd(l->writer), .events = POLLIN},
		{.fd = l->draining ? -1 : role_stop_fd(), .events = POLLIN}};
	int wait = wait_ms(l);
	if (most_ms >= 0 && (wait < 0 || wait > most_ms))
		wait = most_ms;
	(void)poll(p, 3, wait);
	l->now_us = clock_mono_us();
	if (p[1].revents)
		take_done(l);
	check_deadlines(
		l); /* before the run: it looks for resumed connections once, at its start */
	if (MHD_run(l->mhd) != MHD_YES)
		ta_die("libmicrohttpd cannot go on");
	if (role_take_reload())
		keeper_reload(l->keeper);
}

/* Told to stop: no new connections, what is under way gets its answer. */
static void drain(struct listener *l, int epoll_fd)
{
	int64_t until = clock_mono_us() + DRAIN_US;
	l->draining = true;
	MHD_socket fd = MHD_quiesce_daemon(l->mhd);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	while (l->active && clock_mono_us() < until)
		round_once(l, epoll_fd, 100);
	writer_finish(l->writer);
}

/* Those that still wait get their 503, so that libmicrohttpd can close. */
static void release_waiting(struct listener *l)
{
	while (l->conns.head[PHASE_STORE])
		give_up(l, l->conns.head[PHASE_STORE]);
	MHD_run(l->mhd);
}

/* Start ---------------------------------------------------------------------------------------- */

static void raise_files(void)
{
	struct rlimit r;
	const rlim_t want = LISTENER_CONNECTIONS + 512;
	if (getrlimit(RLIMIT_NOFILE, &r) || (r.rlim_cur != RLIM_INFINITY && r.rlim_cur >= want))
		return;
	r.rlim_cur = r.rlim_max == RLIM_INFINITY || r.rlim_max >= want ? want : r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r))
		log_warn("cannot raise the limit of open files");
	if (r.rlim_cur < want)
		log_warn("open files are limited to %llu: fewer connections than %d are possible",
			(unsigned long long)r.rlim_cur, LISTENER_CONNECTIONS);
}

static enum ta_rc parse_address(struct sockaddr_storage *sa, struct ta_err *err)
{
	char host[64], service[16];
	int port;
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				.ai_socktype = SOCK_STREAM},
			*found = NULL;
	enum ta_rc rc = conf_address(conf_get(CONF_LISTEN), host, &port, err);
	if (rc)
		return rc;
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(strcmp(host, "localhost") ? host : "127.0.0.1", service, &hints, &found))
		return ta_fail(err, TA_CONFIG,
			"listen: \"%s\" is no numeric address with port such as 127.0.0.1:8090",
			conf_get(CONF_LISTEN));
	memcpy(sa, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return TA_OK;
}

TA_PRINTF(2, 0)
static void on_mhd_log(void *cls, const char *fmt, va_list ap)
{
	char text[300];
	(void)cls;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_debug("libmicrohttpd: %s", text);
}

static enum ta_rc start_http(struct listener *l, struct ta_err *err)
{
	struct sockaddr_storage sa = {0};
	enum ta_rc rc = parse_address(&sa, err);
	if (rc)
		return rc;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	if (sa.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	l->mhd = MHD_start_daemon(flags, 0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER,
		on_mhd_log, NULL, MHD_OPTION_SOCK_ADDR, &sa, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, l, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)LISTENER_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, MHD_OPTION_LISTEN_BACKLOG_SIZE,
		BACKLOG, MHD_OPTION_END);
	if (!l->mhd)
		return ta_fail_os(err, "cannot listen on %s; is another listener running there",
			conf_get(CONF_LISTEN));
	return TA_OK;
}

/* Signals belong to the HTTP thread: its poll is the one that must wake up. */
static void start_threads(struct listener *l)
{
	sigset_t all, before;
	char host[64] = "localhost", name[160];
	(void)gethostname(host, sizeof(host) - 1);
	snprintf(name, sizeof(name), "%s/%s", host, conf_get(CONF_LISTEN));
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	l->writer = writer_start(l->role, name);
	l->keeper = keeper_start(l->role, l->writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* With the database there it takes some milliseconds until webhooks can be stored; until then
 * connections wait in the backlog instead of being told 503. Without it, not for long. */
static void await_ready(struct listener *l)
{
	struct pollfd stop = {.fd = role_stop_fd(), .events = POLLIN};
	int64_t until = clock_mono_us() + START_US;
	while (clock_mono_us() < until && poll(&stop, 1, 5) == 0) {
		keeper_callers(l->keeper, &l->callers, &l->generation);
		if (l->callers && writer_stats(l->writer).ready)
			break;
	}
	l->now_us = clock_mono_us();
}

static void stop_all(struct listener *l)
{
	release_waiting(l);
	bool joined = writer_join(l->writer, JOIN_MS);
	MHD_stop_daemon(l->mhd);
	if (!joined) {
		/* The database hangs: the thread cannot be ended, the process can. */
		log_warn("the database does not answer; leaving without it");
		_exit(0);
	}
	keeper_stop(l->keeper);
	writer_free(l->writer);
	callers_unref(l->callers);
	limits_free(l->limits);
}

int listener_run(const struct role *role)
{
	struct listener l = {.role = role, .now_us = clock_mono_us()};
	struct ta_err err;
	raise_files();
	enum ta_rc rc = start_http(&l, &err);
	if (rc) {
		log_error("%s", err.msg);
		return ta_rc_exit(rc);
	}
	l.limits = limits_new();
	start_threads(&l);
	int epoll_fd = MHD_get_daemon_info(l.mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	log_info("listening on %s", conf_get(CONF_LISTEN));
	await_ready(&l);
	while (!role_stopping())
		round_once(&l, epoll_fd, -1);
	drain(&l, epoll_fd);
	bool broken = writer_broken(l.writer);
	stop_all(&l);
	return broken ? 2 : 0;
}
