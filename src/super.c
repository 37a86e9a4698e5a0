#include "src/super.h"

#include "src/clock.h"
#include "src/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that lived this long is healthy: its next death starts the back-off anew. */
#define HEALTHY_US (30 * US_PER_S)
#define STOP_MS    9500

int super_backoff_ms(unsigned restarts)
{
	return restarts >= 7 ? 10000 : 100 << restarts;
}

pid_t super_fork(int (*run)(void *arg), void *arg, bool survives)
{
	sigset_t none;
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	sigemptyset(&none);
	if (!survives) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(0);
	}
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(run(arg));
}

static enum ta_rc start(struct super_child *c, struct ta_err *err)
{
	c->fd = -1;
	c->due_us = 0;
	c->adopted = false;
	c->started_us = clock_mono_us();
	c->pid = super_fork(c->run, c->arg, c->survives);
	if (c->pid < 0)
		return ta_fail_os(err, "cannot start a process for %s", c->name);
	return TA_OK;
}

static void died(struct super_child *c, const char *how)
{
	int64_t now = clock_mono_us();
	if (now - c->started_us > HEALTHY_US)
		c->restarts = 0;
	c->wait_ms = super_backoff_ms(c->restarts++);
	c->due_us = now + c->wait_ms * INT64_C(1000);
	log_error("%s (pid %d) %s; starting it again in %d ms", c->name, (int)c->pid, how,
		c->wait_ms);
	c->pid = 0;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void describe(int status, char out[80])
{
	if (WIFSIGNALED(status))
		snprintf(out, 80, "was killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(out, 80, "ended with status %d", WEXITSTATUS(status));
}

/* Collects whatever has ended. While stopping nothing is started again. */
static void reap(struct super *s, bool stopping)
{
	int status;
	char how[80];
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (size_t i = 0; i < s->n; i++) {
			struct super_child *c = &s->children[i];
			if (c->pid != pid)
				continue;
			describe(status, how);
			if (stopping)
				c->pid = 0;
			else
				died(c, how);
			if (stopping && (!WIFEXITED(status) || WEXITSTATUS(status)))
				log_warn("%s %s while stopping", c->name, how);
		}
}

/* Time until the next start, -1 for none; starts what is due. */
static int start_due(struct super *s)
{
	int next = -1;
	struct ta_err err;
	for (size_t i = 0; i < s->n; i++) {
		struct super_child *c = &s->children[i];
		if (!c->due_us)
			continue;
		int64_t left = (c->due_us - clock_mono_us() + 999) / 1000;
		if (left <= 0 && start(c, &err)) {
			log_error("%s", err.msg);
			c->pid = 0;
			c->wait_ms = super_backoff_ms(c->restarts++);
			c->due_us = clock_mono_us() + c->wait_ms * INT64_C(1000);
			left = c->wait_ms;
		}
		if (c->due_us)
			next = next < 0 ? (int)left : (int)TA_MIN(left, next);
	}
	return next;
}

static void forget(struct super_child *c)
{
	c->pid = 0;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* Waits for a signal or the end of an adopted process; returns the signal, 0 if none. */
static int wait_signal(struct super *s, int sfd, int timeout_ms, bool stopping)
{
	struct pollfd p[SUPER_MAX + 1] = {{.fd = sfd, .events = POLLIN}};
	struct signalfd_siginfo info;
	for (size_t i = 0; i < s->n; i++)
		p[i + 1] = (struct pollfd){.fd = s->children[i].fd, .events = POLLIN};
	if (poll(p, (nfds_t)s->n + 1, timeout_ms) <= 0)
		return 0;
	for (size_t i = 0; i < s->n; i++)
		if (p[i + 1].revents && stopping)
			forget(&s->children[i]);
		else if (p[i + 1].revents)
			died(&s->children[i], "ended");
	if (!p[0].revents || read(sfd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

static void reload(struct super *s)
{
	log_info("reloading");
	if (s->on_reload)
		s->on_reload(s->arg);
	for (size_t i = 0; i < s->n; i++)
		if (s->children[i].pid > 0 && s->children[i].reloads)
			(void)kill(s->children[i].pid, SIGHUP);
}

static bool group_alive(const struct super *s, int group)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->children[i].group == group && s->children[i].pid > 0)
			return true;
	return false;
}

static void stop_group(struct super *s, int sfd, int group)
{
	int64_t begun = clock_mono_us();
	bool killed[SUPER_MAX] = {false};
	for (size_t i = 0; i < s->n; i++) {
		struct super_child *c = &s->children[i];
		if (c->group == group && c->pid > 0)
			(void)kill(c->pid, c->stop_signal ? c->stop_signal : SIGTERM);
	}
	while (group_alive(s, group)) {
		(void)wait_signal(s, sfd, 50, true);
		reap(s, true);
		int64_t ms = (clock_mono_us() - begun) / 1000;
		for (size_t i = 0; i < s->n; i++) {
			struct super_child *c = &s->children[i];
			if (c->group != group || c->pid <= 0 || killed[i] ||
				ms < (c->stop_ms ? c->stop_ms : STOP_MS))
				continue;
			log_error("%s (pid %d) does not stop; killing it", c->name, (int)c->pid);
			(void)kill(c->pid, SIGKILL);
			killed[i] = true;
		}
	}
}

static void stop_all(struct super *s, int sfd)
{
	int top = 0;
	for (size_t i = 0; i < s->n; i++) {
		top = TA_MAX(top, s->children[i].group);
		s->children[i].due_us = 0;
	}
	for (int group = top; group >= 0; group--)
		stop_group(s, sfd, group);
}

static enum ta_rc start_all(struct super *s, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < s->n; i++) {
		struct super_child *c = &s->children[i];
		c->fd = -1;
		c->started_us = clock_mono_us();
		if (c->pid <= 0)
			rc = start(c, err);
		else if (c->adopted && (c->fd = pidfd_open(c->pid, 0)) < 0)
			died(c, "ended");
	}
	return rc;
}

enum ta_rc super_run(struct super *s, struct ta_err *err)
{
	sigset_t set, old;
	TA_ASSERT(s->n <= SUPER_MAX);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	int sfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	enum ta_rc rc = sfd < 0 ? ta_fail_os(err, "cannot make a signalfd") : start_all(s, err);
	for (bool stop = rc != TA_OK; !stop;) {
		int sig = wait_signal(s, sfd, start_due(s), false);
		if (sig == SIGHUP)
			reload(s);
		stop = sig == SIGTERM || sig == SIGINT;
		if (!stop)
			reap(s, false);
	}
	if (sfd >= 0) {
		log_info("stopping");
		stop_all(s, sfd);
		close(sfd);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}
