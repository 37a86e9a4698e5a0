#include "net/sandbox_tls.h"

#include "src/buf.h"
#include "src/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "127.0.0.1"

/* Which certificate a fault shows. */
static const struct {
	struct crypto_cert cert;
	enum fault_kind fault;
	bool stranger; /* signed by an authority that nobody is told of */
} shown[TLS_DAEMONS] = {
	{{HOST, -1, 365}, FAULT_KINDS, false},
	{{HOST, -30, -1}, FAULT_TLS_EXPIRED, false},
	{{"another.example", -1, 365}, FAULT_TLS_WRONG_NAME, false},
	{{HOST, -1, 365}, FAULT_TLS_UNKNOWN_CA, true},
};

static enum ta_rc write_ca(const struct crypto_ca *ca, const char *dir, struct ta_err *err)
{
	char path[4096];
	struct buf pem = BUF_INIT(8192);
	crypto_ca_pem(ca, &pem);
	snprintf(path, sizeof(path), "%s/ca.pem", dir);
	FILE *f = fopen(path, "we");
	bool ok = f && fwrite(pem.p, 1, pem.len, f) == pem.len;
	ok = f && !fclose(f) && ok;
	buf_release(&pem);
	return ok ? TA_OK : ta_fail_os(err, "writing %s", path);
}

static enum ta_rc listen_somewhere(struct tls_side *t, struct ta_err *err)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	t->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->listener < 0 || bind(t->listener, (struct sockaddr *)&sa, len) ||
		listen(t->listener, 64) || getsockname(t->listener, (struct sockaddr *)&sa, &len))
		return ta_fail_os(err, "listening for https on %s", HOST);
	t->port = ntohs(sa.sin_port);
	return TA_OK;
}

static struct MHD_Daemon *start(
	const struct crypto_ca *ca, const struct crypto_cert *what, const struct tls_handlers *h)
{
	struct buf key = BUF_INIT(8192), cert = BUF_INIT(8192);
	crypto_ca_sign(ca, what, &key, &cert);
	struct MHD_Daemon *d = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET,
		0, NULL, NULL, h->on_request, h->arg, MHD_OPTION_NOTIFY_COMPLETED, h->on_done,
		h->arg, MHD_OPTION_HTTPS_MEM_KEY, buf_str(&key), MHD_OPTION_HTTPS_MEM_CERT,
		buf_str(&cert), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)256 << 10,
		MHD_OPTION_CONNECTION_LIMIT, 1024u, MHD_OPTION_CONNECTION_TIMEOUT, 300u,
		MHD_OPTION_END);
	crypto_wipe(key.p, key.len);
	buf_release(&key);
	buf_release(&cert);
	return d;
}

enum ta_rc tls_open(
	struct tls_side *t, const char *dir, const struct tls_handlers *h, struct ta_err *err)
{
	struct crypto_ca *ca = crypto_ca_new("trackai sandbox authority");
	struct crypto_ca *stranger = crypto_ca_new("a stranger");
	enum ta_rc rc = write_ca(ca, dir, err);
	if (!rc)
		rc = listen_somewhere(t, err);
	for (size_t i = 0; !rc && i < TLS_DAEMONS; i++) {
		t->daemon[i] = start(shown[i].stranger ? stranger : ca, &shown[i].cert, h);
		if (!t->daemon[i])
			rc = ta_fail(err, TA_CONFIG,
				"this libmicrohttpd cannot speak https; leave --tls away");
	}
	crypto_ca_free(ca);
	crypto_ca_free(stranger);
	return rc;
}

/* Says nothing more; what the other side sends is never read. */
static void cut_off(struct tls_side *t, int fd)
{
	int *place = &t->cut[t->ncut++ % TLS_CUT];
	if (t->ncut > TLS_CUT)
		close(*place);
	shutdown(fd, SHUT_WR);
	*place = fd;
}

static void reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void hand_over(struct tls_side *t, int fd, enum fault_kind fault)
{
	size_t which = 0;
	struct sockaddr_in sa = {0};
	socklen_t len = sizeof(sa);
	for (size_t i = 1; i < TLS_DAEMONS; i++)
		if (shown[i].fault == fault)
			which = i;
	if (getpeername(fd, (struct sockaddr *)&sa, &len))
		close(fd);
	else /* closes it itself when it fails */
		(void)MHD_add_connection(t->daemon[which], fd, (struct sockaddr *)&sa, len);
}

void tls_accept(struct tls_side *t, struct fault_set *faults)
{
	int fd;
	while ((fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		enum fault_kind fault = fault_connection(faults);
		if (fault == FAULT_TLS_HANDSHAKE)
			cut_off(t, fd);
		else if (fault == FAULT_TLS_REFUSE)
			reset(fd);
		else
			hand_over(t, fd, fault);
	}
}

void tls_close(struct tls_side *t)
{
	for (size_t i = 0; i < TLS_DAEMONS; i++)
		if (t->daemon[i])
			MHD_stop_daemon(t->daemon[i]);
	for (size_t i = 0; i < t->ncut && i < TLS_CUT; i++)
		close(t->cut[i]);
	if (t->listener >= 0)
		close(t->listener);
	t->listener = -1;
}
