/* Load for the ingest bench: kept connections, signed bodies, one request in flight on each.
 * Closed loop (the next request as soon as the answer is there), or open loop at a rate, where
 * latency counts from the moment the request was due.
 * Usage: perf_load PORT BODIES CONNECTIONS SECONDS RATE [SECRET]   (RATE 0: closed)
 * BODIES has lines "<base64 signature>\t<body>". With SECRET each request is an order of its own:
 * the body, which begins {"id": and 13 digits, gets another id and is signed here. Prints one JSON
 * object. */
#include "src/clock.h"
#include "src/crypto.h"
#include "src/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define HEAD_MAX  512
#define ID_AT     6 /* behind {"id": */
#define ID_DIGITS 13

struct body {
	char *signature, *text;
	size_t n;
};

struct client {
	int fd;
	bool busy;
	int64_t since_us;
	char *out;
	size_t nout, sent;
	char in[4096];
	size_t nin;
};

static struct {
	struct body *bodies;
	size_t nbodies, next;
	struct client *clients;
	int nclients, epoll;
	int *idle, nidle;
	uint64_t serial;
	const char *secret;
	uint32_t *us; /* latencies */
	size_t n, size, errors;
} g;

static void read_bodies(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	if (!f)
		ta_die("cannot read %s", path);
	while ((n = getline(&line, &cap, f)) > 0) {
		line[n - 1] = '\0';
		char *tab = strchr(line, '\t');
		if (!tab)
			continue;
		*tab = '\0';
		g.bodies = ta_realloc(g.bodies, (g.nbodies + 1) * sizeof(*g.bodies));
		g.bodies[g.nbodies++] =
			(struct body){ta_strdup(line), ta_strdup(tab + 1), strlen(tab + 1)};
	}
	free(line);
	fclose(f);
	TA_ASSERT(g.nbodies);
}

static void connect_client(struct client *c, int port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)))
		ta_die("cannot connect to port %d: %s", port, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	epoll_ctl(g.epoll, EPOLL_CTL_ADD, c->fd, &e);
}

static void keep_sending(struct client *c)
{
	while (c->sent < c->nout) {
		ssize_t k = write(c->fd, c->out + c->sent, c->nout - c->sent);
		if (k < 0 && errno == EAGAIN)
			break;
		if (k < 0)
			ta_die("the listener closed a connection");
		c->sent += (size_t)k;
	}
	struct epoll_event e = {
		.events = c->sent < c->nout ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
	if (c->sent < c->nout)
		epoll_ctl(g.epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* Makes the body an order that was not sent before by any process of this bench. */
static void renew(struct body *b)
{
	char id[24];
	uint8_t mac[SHA256_LEN];
	snprintf(id, sizeof(id), "%013llu",
		1000000000000ull + (unsigned long long)(getpid() % 800000) * 10000000ull +
			(unsigned long long)g.serial);
	memcpy(b->text + ID_AT, id, ID_DIGITS);
	crypto_hmac_sha256(g.secret, strlen(g.secret), b->text, b->n, mac);
	base64_encode(mac, sizeof(mac), b->signature);
}

static void start_request(struct client *c, int64_t due_us)
{
	struct body *b = &g.bodies[g.next++ % g.nbodies];
	if (g.secret)
		renew(b);
	c->out = ta_realloc(c->out, HEAD_MAX + b->n);
	int n = snprintf(c->out, HEAD_MAX,
		"POST /webhook/shopify HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Shopify-Topic: "
		"orders/create\r\nX-Shopify-Shop-Domain: bench.myshopify.com\r\n"
		"X-Shopify-Hmac-Sha256: %s\r\nX-Shopify-Webhook-Id: %d-%llu\r\nContent-Type: "
		"application/json\r\nContent-Length: %zu\r\n\r\n",
		b->signature, (int)getpid(), (unsigned long long)g.serial++, b->n);
	memcpy(c->out + n, b->text, b->n);
	c->nout = (size_t)n + b->n;
	c->sent = c->nin = 0;
	c->busy = true;
	c->since_us = due_us;
	keep_sending(c);
}

static void note(int64_t us)
{
	if (g.n == g.size) {
		g.size = g.size ? g.size * 2 : 1 << 16;
		g.us = ta_realloc(g.us, g.size * sizeof(*g.us));
	}
	g.us[g.n++] = (uint32_t)us;
}

/* True when the answer is whole. Both servers send Content-Length. */
static bool receive(struct client *c)
{
	ssize_t k = read(c->fd, c->in + c->nin, sizeof(c->in) - 1 - c->nin);
	if (k <= 0) {
		if (k < 0 && errno == EAGAIN)
			return false;
		ta_die("the listener closed a connection");
	}
	c->nin += (size_t)k;
	c->in[c->nin] = '\0';
	const char *end = strstr(c->in, "\r\n\r\n"), *len = strcasestr(c->in, "content-length:");
	if (!end || !len)
		return false;
	size_t whole = (size_t)(end + 4 - c->in) + strtoul(len + 15, NULL, 10);
	if (c->nin < whole)
		return false;
	if (strncmp(c->in, "HTTP/1.1 200", 12) != 0)
		g.errors++;
	else
		note(clock_mono_us() - c->since_us);
	c->busy = false;
	return true;
}

static void handle(const struct epoll_event *e, bool closed)
{
	struct client *c = e->data.ptr;
	if (e->events & EPOLLOUT) {
		keep_sending(c);
		if (c->sent == c->nout) {
			struct epoll_event in = {.events = EPOLLIN, .data.ptr = c};
			epoll_ctl(g.epoll, EPOLL_CTL_MOD, c->fd, &in);
		}
	}
	if (!(e->events & (EPOLLIN | EPOLLHUP)) || !receive(c))
		return;
	if (closed)
		start_request(c, clock_mono_us());
	else
		g.idle[g.nidle++] = (int)(c - g.clients);
}

static void run(double seconds, double rate)
{
	struct epoll_event events[256];
	int64_t begin = clock_mono_us(), end = begin + (int64_t)(seconds * 1e6);
	double step = rate > 0 ? 1e6 / rate : 0, due = (double)begin;
	for (int i = 0; rate <= 0 && i < g.nclients; i++)
		start_request(&g.clients[i], begin);
	for (int64_t now = begin; now < end; now = clock_mono_us()) {
		while (rate > 0 && due <= (double)now && g.nidle) {
			start_request(&g.clients[g.idle[--g.nidle]], (int64_t)due);
			due += step;
		}
		/* To the microsecond: a wait in whole milliseconds would spin, on a core that the
		 * program under test needs. Overdue: no connection is idle, an answer wakes us. */
		double us = rate > 0 && due > (double)now ? due - (double)now : 50000;
		struct timespec wait = {.tv_nsec = (long)(us > 50000 ? 50000 : us) * 1000};
		int n = epoll_pwait2(g.epoll, events, 256, &wait, NULL);
		for (int i = 0; i < n; i++)
			handle(&events[i], rate <= 0);
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static double at(double q)
{
	return g.n ? g.us[(size_t)(q * (double)(g.n - 1))] / 1000.0 : -1;
}

int main(int argc, char **argv)
{
	if (argc != 6 && argc != 7)
		return 2;
	g.secret = argv[6];
	int port = (int)strtol(argv[1], NULL, 10);
	double seconds = strtod(argv[4], NULL), rate = strtod(argv[5], NULL);
	read_bodies(argv[2]);
	g.nclients = (int)strtol(argv[3], NULL, 10);
	g.clients = ta_alloc((size_t)g.nclients * sizeof(*g.clients));
	g.idle = ta_alloc((size_t)g.nclients * sizeof(*g.idle));
	g.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < g.nclients; i++) {
		connect_client(&g.clients[i], port);
		g.idle[g.nidle++] = i;
	}
	run(seconds, rate);
	qsort(g.us, g.n, sizeof(*g.us), by_value);
	printf("{\"requests\": %zu, \"errors\": %zu, \"per_s\": %.0f, \"p50_ms\": %.3f, "
	       "\"p99_ms\": %.3f, \"p999_ms\": %.3f}\n",
		g.n, g.errors, (double)g.n / seconds, at(0.5), at(0.99), at(0.999));
	return 0;
}
