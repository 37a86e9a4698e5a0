/* The yardstick of the ingest bench: an empty handler of the library that the listener uses, in the
 * same kind of loop: reads the body, answers 200. Usage: perf_hello PORT */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct MHD_Response *ok;

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *n, void **context)
{
	static int seen;
	(void)cls;
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	if (!*context) {
		*context = &seen;
		return MHD_YES;
	}
	if (*n) {
		*n = 0;
		return MHD_YES;
	}
	return MHD_queue_response(mhd, MHD_HTTP_OK, ok);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	static char text[] = "ok\n";
	if (argc != 2)
		return 2;
	sa.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ok = MHD_create_response_from_buffer(3, text, MHD_RESPMEM_PERSISTENT);
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, NULL,
		MHD_OPTION_SOCK_ADDR, &sa, MHD_OPTION_CONNECTION_LIMIT, 2048u,
		MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_END);
	if (!d || !ok)
		return 1;
	puts("ready");
	fflush(stdout);
	struct pollfd p = {
		.fd = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN};
	pid_t parent = getppid();
	while (getppid() == parent) {
		MHD_UNSIGNED_LONG_LONG ms;
		(void)poll(&p, 1, MHD_get_timeout(d, &ms) == MHD_YES && ms < 1000 ? (int)ms : 1000);
		MHD_run(d);
	}
	return 0;
}
