#include "src/role.h"

#include "src/log.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int stop_fd = -1;
/* Lock-free atomics: handlers set them, a role's threads read them. */
static atomic_int stopping, reload;

void role_stop(void)
{
	static const uint64_t one = 1;
	stopping = 1;
	if (stop_fd >= 0 && write(stop_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable already */
}

static void on_stop(int sig)
{
	(void)sig;
	role_stop();
}

static void on_reload(int sig)
{
	(void)sig;
	reload = 1;
	log_reload();
}

void role_begin(const struct role *r)
{
	log_role(r->name);
	stopping = 0;
	reload = 0;
	if (stop_fd >= 0)
		close(stop_fd);
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0)
		ta_die("%s: no eventfd to be had", r->name);
	struct sigaction stop = {.sa_handler = on_stop}, again = {.sa_handler = on_reload},
			 ignore = {.sa_handler = SIG_IGN};
	sigemptyset(&stop.sa_mask);
	sigemptyset(&again.sa_mask);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &again, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

int role_stop_fd(void)
{
	return stop_fd;
}

bool role_stopping(void)
{
	return stopping != 0;
}

bool role_take_reload(void)
{
	return atomic_exchange(&reload, 0) != 0;
}
