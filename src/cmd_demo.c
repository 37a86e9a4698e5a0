/* trackai demo: a database and a listener of its own, a sandbox with faults, and shops that are
 * busy. The supervisor of `up` runs all of it, so that one stop stops all of it. */
#include "src/cmd_demo.h"

#include "db/cluster.h"
#include "net/sandbox.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_up.h"
#include "src/conf.h"
#include "src/log.h"
#include "src/opt.h"
#include "ui/loop.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEMO_LISTEN "127.0.0.1:8092"
#define DEMO_RATE   8

static struct demo_plan plan;

static int run_sandbox(void *arg)
{
	struct ta_err err = {0};
	const struct demo_plan *p = arg;
	const struct sandbox_ask ask = {.listen = p->sandbox, .faults = demo_faults};
	log_role("sandbox");
	enum ta_rc rc = sandbox_run(&ask, &err);
	if (rc)
		log_error("%s", err.msg);
	return rc ? ta_rc_exit(rc) : 0;
}

static int run_player(void *arg)
{
	struct ta_err err = {0};
	const struct demo_plan *p = arg;
	struct player_options o = {
		.base = p->base, .rate = p->rate, .burst_s = DEMO_BURST_S, .seed = 20261122};
	log_role("player");
	enum ta_rc rc = demo_shops(p, o.access, &err);
	if (!rc)
		rc = player_run(&o, &err);
	if (rc)
		log_error("%s", err.msg);
	return rc ? ta_rc_exit(rc) : 0;
}

/* A port of the loopback that nobody listens on now; 0 if there is none. */
static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 &&
		getsockname(fd, (struct sockaddr *)&a, &n) == 0)
		port = ntohs(a.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static void set_url(enum conf_key k, const char *path)
{
	char url[160];
	snprintf(url, sizeof(url), "http://%s%s", plan.sandbox, path);
	conf_set(k, url, "demo");
}

/* Everything the demo's processes read from the settings. The listener's address is the usual
 * setting when one was given, for those who run several. */
static enum ta_rc settle(long rate, struct ta_err *err)
{
	char keys[600];
	int n = snprintf(plan.dir, sizeof(plan.dir), "%s/demo", conf_data_dir());
	if (n < 0 || (size_t)n >= sizeof(plan.dir))
		return ta_fail(err, TA_CONFIG, "the data dir's path is too long");
	if (rate < 1 || rate > 2000)
		return ta_fail(err, TA_USAGE, "--rate: 1 to 2000 events a second");
	plan.rate = (double)rate;
	snprintf(keys, sizeof(keys), "%s/keys", plan.dir);
	conf_set(CONF_DATA, plan.dir, "demo");
	conf_set(CONF_KEY_DIR, keys, "demo");
	return TA_OK;
}

static void settle_addresses(void)
{
	char address[64];
	if (strcmp(conf_origin(CONF_LISTEN), "default") == 0) {
		snprintf(address, sizeof(address), "%s", DEMO_LISTEN);
		if (up_answers(address))
			snprintf(address, sizeof(address), "127.0.0.1:%d", free_port());
		conf_set(CONF_LISTEN, address, "demo");
	}
	snprintf(plan.base, sizeof(plan.base), "http://%.80s", conf_get(CONF_LISTEN));
	snprintf(plan.sandbox, sizeof(plan.sandbox), "127.0.0.1:%d", free_port());
	set_url(CONF_PINTEREST_URL, "/pinterest/v5");
	set_url(CONF_META_URL, "/meta/v24.0");
	set_url(CONF_TIKTOK_URL, "/tiktok/open_api/v1.3");
}

/* Its address is told to the user, so it should answer by then; the listener may be faster. */
static void wait_sandbox(void)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int64_t end = clock_mono_us() + 10 * US_PER_S;
	while (!up_answers(plan.sandbox) && clock_mono_us() < end)
		(void)nanosleep(&pause, NULL);
}

static enum ta_rc start(struct up_state *st, struct ta_err *err)
{
	const struct super_child extra[] = {
		{.name = "sandbox", .run = run_sandbox, .arg = &plan},
		{.name = "player", .run = run_player, .arg = &plan, .stop_ms = 3000},
	};
	const struct up_opts o = {.dir = plan.dir, .extra = extra, .nextra = TA_COUNT(extra)};
	settle_addresses();
	enum ta_rc rc = up_start(&o, st, err);
	if (!rc && !st->already)
		wait_sandbox();
	return rc;
}

static int show(void)
{
	struct ta_err err = {0};
	char log[600], history[600];
	const char *ascii = conf_get(CONF_ASCII);
	snprintf(log, sizeof(log), "%.500s/log/console.log", plan.dir);
	snprintf(history, sizeof(history), "%.500s/history", plan.dir);
	const struct loop_options o = {.database = conf_get(CONF_DATABASE),
		.place = "demo",
		.colour = conf_get(CONF_COLOR),
		.ascii = *ascii && strcmp(ascii, "0") != 0,
		.mouse = strcmp(conf_get(CONF_MOUSE), "off") != 0,
		.bell = strcmp(conf_get(CONF_BELL), "off") != 0,
		.view = "",
		.history = history,
		.log = log};
	enum ta_rc rc = up_drop_root(&err);
	if (!rc)
		rc = console_run(&o, &err);
	return rc ? cmd_fail("demo", &err) : 0;
}

static volatile sig_atomic_t console_pid;

static void forward(int sig)
{
	if (console_pid > 0)
		(void)kill((pid_t)console_pid, sig);
}

/* The console on the demo's database, in a process of its own, so that a closed terminal still
 * leaves somebody to stop what was started. The terminal's keys are the console's; a hang-up
 * reaches only the leader of the session, which may be this process. Returns its exit status. */
static int console(void)
{
	static const int keys[] = {SIGINT, SIGQUIT};
	static const int ends[] = {SIGHUP, SIGTERM};
	const struct sigaction pass = {.sa_handler = forward, .sa_flags = SA_RESTART};
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(show());
	console_pid = pid;
	for (size_t i = 0; i < TA_COUNT(keys); i++)
		(void)signal(keys[i], SIG_IGN);
	for (size_t i = 0; i < TA_COUNT(ends); i++)
		(void)sigaction(ends[i], &pass, NULL);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 5;
	console_pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

static enum ta_rc find_running(pid_t *pid, struct ta_err *err)
{
	struct cluster c;
	char conninfo[1200];
	enum ta_rc rc = cluster_at(&c, plan.dir, err);
	if (rc)
		return rc;
	*pid = up_supervisor(plan.dir);
	cluster_conninfo(&c, CLUSTER_DB, conninfo, sizeof(conninfo));
	conf_set(CONF_DATABASE, conninfo, "demo");
	return TA_OK;
}

static int stop(void)
{
	struct ta_err err = {0};
	bool was = false;
	if (up_stop(plan.dir, &was, &err))
		return cmd_fail("demo", &err);
	puts(was ? "the demo is stopped" : "no demo was running");
	return 0;
}

static void tell(pid_t pid, bool already)
{
	printf("the demo %s (pid %d)\n  webhooks and events: http://%s\n",
		already ? "runs already" : "runs", (int)pid, conf_get(CONF_LISTEN));
	if (!already)
		printf("  what the platforms got: http://%s/_sandbox/summary\n", plan.sandbox);
	printf("  database: %s\n  log: %s/log/trackai.log\n"
	       "watch it:  trackai demo --attach\nstop it:   trackai demo --stop\n",
		conf_get(CONF_DATABASE), plan.dir);
}

static int run(bool background, bool attach)
{
	struct ta_err err = {0};
	struct up_state st = {0};
	pid_t pid = 0;
	if (find_running(&pid, &err))
		return cmd_fail("demo", &err);
	if (attach && !pid) {
		(void)ta_fail(&err, TA_NOTFOUND, "no demo runs in %.120s; start one: trackai demo",
			plan.dir);
		return cmd_fail("demo", &err);
	}
	if (!pid && start(&st, &err))
		return cmd_fail("demo", &err);
	if (background) {
		tell(pid ? pid : st.supervisor, pid != 0);
		return 0;
	}
	int status = console();
	if (pid)
		puts("the demo goes on; trackai demo --stop ends it");
	else
		status = stop() || status;
	return status;
}

int cmd_demo(int argc, char **argv)
{
	bool background = false, attach = false, halt = false;
	long rate = DEMO_RATE;
	struct ta_err err = {0};
	const struct opt opts[] = {{"background", OPT_FLAG, &background, "start it and return"},
		{"attach", OPT_FLAG, &attach, "the console on a running demo"},
		{"stop", OPT_FLAG, &halt, "stop a running demo"},
		{"rate", OPT_INT, &rate, "events a second"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && (argc > 1 || background + attach + halt > 1))
		rc = ta_fail(&err, TA_USAGE,
			"at most one of --background, --attach and --stop, and no other word");
	if (!rc)
		rc = settle(rate, &err);
	if (rc)
		return cmd_fail("demo", &err);
	return halt ? stop() : run(background, attach);
}
