/* trackai up, trackai down: the embedded default. */
#include "src/cmd_up.h"

#include "db/cluster.h"
#include "db/conn.h"
#include "db/migrate.h"
#include "db/secret.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_serve.h"
#include "src/conf.h"
#include "src/log.h"
#include "src/opt.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UP_USER   "trackai"
#define STOP_US   (90 * US_PER_S)
#define ANSWER_US (60 * US_PER_S) /* a first start elsewhere may be making its database */

/* The supervisor's lock --------------------------------------------------------------------- */

static void lock_path(const char *dir, char out[600])
{
	snprintf(out, 600, "%.560s/run/up.pid", dir);
}

pid_t up_supervisor(const char *dir)
{
	char path[600];
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	lock_path(dir, path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	bool held = fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
	close(fd);
	return held ? l.l_pid : 0;
}

/* A record lock belongs to this process alone: children do not inherit it, death releases it. */
static enum ta_rc take_lock(const char *dir, bool *got, struct ta_err *err)
{
	char path[600], text[24];
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	lock_path(dir, path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return ta_fail_os(err, "cannot open %.150s", path);
	*got = fcntl(fd, F_SETLK, &l) == 0;
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (*got && (ftruncate(fd, 0) || write(fd, text, (size_t)n) != n))
		return ta_fail_os(err, "cannot write %.150s", path);
	if (!*got)
		close(fd);
	return TA_OK; /* the descriptor stays open as long as the process lives */
}

/* Root --------------------------------------------------------------------------------------- */

static enum ta_rc find_user(struct passwd **pw, struct ta_err *err)
{
	*pw = getpwnam(UP_USER);
	if (*pw)
		return TA_OK;
	return ta_fail(err, TA_CONFIG,
		"under root everything runs as the user \"" UP_USER
		"\", which does not exist; ./run "
		"makes it, or: useradd --system --user-group --home-dir /var/lib/trackai " UP_USER);
}

enum ta_rc up_drop_root(struct ta_err *err)
{
	struct passwd *pw = NULL;
	if (geteuid() != 0)
		return TA_OK;
	conf_set(CONF_DATA, conf_data_dir(), conf_origin(CONF_DATA));
	enum ta_rc rc = find_user(&pw, err);
	if (rc)
		return rc;
	if (setgroups(0, NULL) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return ta_fail_os(err, "cannot become the user " UP_USER);
	(void)setenv("HOME", pw->pw_dir, 1);
	(void)setenv("USER", UP_USER, 1);
	(void)setenv("LOGNAME", UP_USER, 1);
	return TA_OK;
}

static bool is_empty(const char *dir)
{
	char path[600];
	snprintf(path, sizeof(path), "%.560s/pg", dir);
	return access(path, F_OK) != 0;
}

/* The data dir must belong to the user that will write it. A directory that holds no database yet
 * is given to it; one that holds somebody else's is not touched. */
static enum ta_rc give_dir(const char *dir, struct ta_err *err)
{
	struct stat st;
	struct passwd *pw = NULL;
	char part[600];
	enum ta_rc rc = find_user(&pw, err);
	if (rc)
		return rc;
	snprintf(part, sizeof(part), "%.560s/", dir);
	for (char *p = part + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(part, 0755) && errno != EEXIST)
				return ta_fail_os(err, "cannot make the directory %.150s", part);
			*p = '/';
		}
	if (stat(dir, &st))
		return ta_fail_os(err, "cannot look at %.150s", dir);
	if (st.st_uid == pw->pw_uid)
		return TA_OK;
	if (!is_empty(dir))
		return ta_fail(err, TA_CONFIG,
			"%.100s belongs to another user and holds a database; run this as that user, or "
			"chown -R " UP_USER ": it",
			dir);
	if (chown(dir, pw->pw_uid, pw->pw_gid))
		return ta_fail_os(err, "cannot give %.150s to the user " UP_USER, dir);
	return TA_OK;
}

/* What commands that ran as root (migrate, serve) left in a data dir of ours. */
static void give_leftovers(const char *dir)
{
	static const char *const names[] = {"keys", "keys/ingest.key", "keys/deliver.key", "log",
		"log/trackai.log", "log/console.log", "run", "run/up.pid"};
	const struct passwd *pw = getpwnam(UP_USER);
	for (size_t i = 0; pw && i < TA_COUNT(names); i++) {
		char path[640];
		struct stat st;
		snprintf(path, sizeof(path), "%.560s/%s", dir, names[i]);
		if (lstat(path, &st) == 0 && st.st_uid == 0 && !S_ISLNK(st.st_mode) &&
			lchown(path, pw->pw_uid, pw->pw_gid))
			log_warn("cannot give %s to the user " UP_USER, path);
	}
}

/* The supervisor ----------------------------------------------------------------------------- */

/* What the new supervisor tells the starter: one character and a text, ended by a NUL. */
enum { SAY_PROGRESS = 'P', SAY_ALREADY = 'A', SAY_READY = 'R', SAY_FAILED = 'F' };

static void say(int fd, char what, const char *text)
{
	char line[400];
	int n = snprintf(line, sizeof(line), "%c%.380s", what, text) + 1;
	if (write(fd, line, (size_t)n) < 0)
		log_debug("the starter is gone");
}

static enum ta_rc prepare_database(
	struct cluster *c, struct cluster_server *server, int fd, struct ta_err *err)
{
	char conninfo[1200];
	struct db *db = NULL;
	enum ta_rc rc = cluster_programs(c, err);
	if (!rc && !cluster_exists(c))
		say(fd, SAY_PROGRESS, "making a private database (once)");
	if (!rc)
		rc = cluster_init(c, err);
	if (!rc)
		rc = cluster_start(c, server, err);
	if (rc)
		return rc;
	cluster_conninfo(c, CLUSTER_DB, conninfo, sizeof(conninfo));
	conf_set(CONF_DATABASE, conninfo, "private cluster");
	rc = db_open(conninfo, "up", &db, err);
	if (!rc)
		rc = migrate_run(db, false, NULL, err);
	if (!rc)
		rc = secret_make_keys(db, conf_key_dir(), NULL, err);
	db_close(db);
	return rc;
}

static void pause_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	(void)nanosleep(&t, NULL);
}

static void reopen_log(void *arg)
{
	struct ta_err err;
	(void)arg;
	if (serve_open_log(false, &err))
		log_error("%s", err.msg);
}

static enum ta_rc supervise(struct cluster *c, const struct cluster_server *server,
	const struct up_opts *o, int fd, struct ta_err *err)
{
	static struct serve s;
	static struct super_child children[SUPER_MAX];
	enum ta_rc rc = serve_prepare(&s, o->roles, conf_get(CONF_DATABASE), err);
	if (rc)
		return rc;
	TA_ASSERT(1 + s.n + o->nextra <= SUPER_MAX);
	children[0] = (struct super_child){.name = "postgresql",
		.run = cluster_exec,
		.arg = c,
		.stop_signal = SIGINT,
		.stop_ms = 60000,
		.survives = true,
		.pid = server->pid,
		.adopted = server->adopted};
	size_t n = 1 + serve_children(&s, children + 1, 1);
	for (size_t i = 0; i < o->nextra; i++) {
		children[n] = o->extra[i];
		children[n++].group = 2;
	}
	struct super super = {.children = children, .n = n, .on_reload = reopen_log};
	log_info("up: %s, serving %s", c->dir, conf_get(CONF_LISTEN));
	say(fd, SAY_READY, "");
	close(fd);
	rc = super_run(&super, err);
	serve_wipe(&s);
	return rc;
}

static enum ta_rc be_supervisor(const struct up_opts *o, int fd, struct ta_err *err)
{
	static struct cluster c;
	struct cluster_server server = {0};
	bool got = false, was;
	enum ta_rc rc = cluster_at(&c, conf_data_dir(), err);
	if (!rc)
		rc = serve_open_log(false, err);
	if (!rc) {
		char run[600];
		snprintf(run, sizeof(run), "%.560s/run", conf_data_dir());
		if (mkdir(run, 0755) && errno != EEXIST)
			rc = ta_fail_os(err, "cannot make %.150s", run);
	}
	if (!rc)
		rc = take_lock(conf_data_dir(), &got, err);
	if (!rc && !got) {
		say(fd, SAY_ALREADY, "");
		return TA_OK;
	}
	if (!rc)
		rc = prepare_database(&c, &server, fd, err);
	if (!rc)
		rc = supervise(&c, &server, o, fd, err);
	struct ta_err ignored;
	if (rc && server.pid && !server.adopted && cluster_stop(&c, &was, &ignored))
		log_error("%s", ignored.msg);
	return rc;
}

/* Away from the terminal: own session, no standard streams but the log. */
static void detach(void)
{
	(void)setsid();
	(void)!chdir("/");
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(5);
	if (null > 2)
		close(null);
}

/* In the forked process; never returns. */
TA_NORETURN static void daemon_main(const struct up_opts *o, int fd)
{
	struct ta_err err = {0};
	detach();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	log_role("up");
	enum ta_rc rc = up_drop_root(&err);
	if (!rc)
		rc = be_supervisor(o, fd, &err);
	if (rc) {
		char text[300];
		snprintf(text, sizeof(text), "%c%s", 'A' + (int)rc, err.msg);
		log_error("%s", err.msg);
		say(fd, SAY_FAILED, text);
	}
	_exit(rc ? ta_rc_exit(rc) : 0);
}

/* The starter -------------------------------------------------------------------------------- */

/* Reads one message; false when the other side is gone. */
static bool hear(int fd, char *what, char text[400])
{
	size_t n = 0;
	char c;
	if (read(fd, what, 1) != 1)
		return false;
	while (n < 399 && read(fd, &c, 1) == 1 && c)
		text[n++] = c;
	text[n] = '\0';
	return true;
}

static enum ta_rc follow(int fd, const struct up_opts *o, struct up_state *out, struct ta_err *err)
{
	char what, text[400];
	while (hear(fd, &what, text)) {
		if (what == SAY_READY || what == SAY_ALREADY) {
			out->already = what == SAY_ALREADY;
			return TA_OK;
		}
		if (what == SAY_FAILED && text[0] > 'A' && text[0] < 'A' + TA_RC_COUNT)
			return ta_fail(err, (enum ta_rc)(text[0] - 'A'), "%s", text + 1);
		if (what == SAY_PROGRESS && !o->quiet) {
			printf("%s ...\n", text);
			fflush(stdout);
		}
	}
	return ta_fail(err, TA_IO, "the supervisor ended at once; %.150s/log/trackai.log says why",
		conf_data_dir());
}

/* Two forks, so that nobody has to collect the supervisor. */
static enum ta_rc launch(const struct up_opts *o, struct up_state *out, struct ta_err *err)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC))
		return ta_fail_os(err, "cannot make a pipe");
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		pid_t second = fork();
		if (second == 0)
			daemon_main(o, fds[1]);
		_exit(second < 0 ? 5 : 0);
	}
	close(fds[1]);
	enum ta_rc rc = pid < 0 ? ta_fail_os(err, "cannot start a process") : TA_OK;
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	if (!rc)
		rc = follow(fds[0], o, out, err);
	close(fds[0]);
	return rc;
}

/* Does the listener take connections? A wildcard address is asked on the loopback. */
bool up_answers(const char *address)
{
	char host[64], service[16];
	int port;
	struct ta_err err;
	struct addrinfo *ai = NULL;
	const struct addrinfo hint = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	if (conf_address(address, host, &port, &err))
		return false;
	const char *ask = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1"
			  : strcmp(host, "::") == 0    ? "::1"
						       : host;
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(ask, service, &hint, &ai))
		return false;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0;
	if (fd >= 0)
		close(fd);
	freeaddrinfo(ai);
	return ok;
}

static enum ta_rc wait_answers(
	const struct up_opts *o, const struct up_state *st, struct ta_err *err)
{
	int64_t end = clock_mono_us() + ANSWER_US;
	if (o->roles && !strstr(o->roles, "listener"))
		return TA_OK;
	while (!up_answers(conf_get(CONF_LISTEN))) {
		if (up_supervisor(conf_data_dir()) != st->supervisor)
			return ta_fail(err, TA_IO,
				"the supervisor ended; %.150s/log/trackai.log says why",
				conf_data_dir());
		if (clock_mono_us() > end)
			return ta_fail(err, TA_TIMEOUT,
				"it runs, but %s does not answer; see %.120s/log/trackai.log (when it "
				"was started with another `listen`: trackai down, then up)",
				conf_get(CONF_LISTEN), conf_data_dir());
		pause_ms(20);
	}
	return TA_OK;
}

enum ta_rc up_start(const struct up_opts *o, struct up_state *out, struct ta_err *err)
{
	struct cluster c;
	char conninfo[1200];
	*out = (struct up_state){0};
	if (o->dir)
		conf_set(CONF_DATA, o->dir, "up");
	if (o->listen)
		conf_set(CONF_LISTEN, o->listen, "up");
	enum ta_rc rc = cluster_at(&c, conf_data_dir(), err);
	if (!rc && geteuid() == 0)
		rc = give_dir(conf_data_dir(), err);
	if (!rc && geteuid() == 0)
		give_leftovers(conf_data_dir());
	out->supervisor = rc ? 0 : up_supervisor(conf_data_dir());
	out->already = out->supervisor > 0;
	if (!rc && !out->already) {
		rc = launch(o, out, err);
		out->supervisor = up_supervisor(conf_data_dir());
	}
	cluster_conninfo(&c, CLUSTER_DB, conninfo, sizeof(conninfo));
	if (!rc)
		conf_set(CONF_DATABASE, conninfo, "private cluster");
	return rc ? rc : wait_answers(o, out, err);
}

enum ta_rc up_stop(const char *dir, bool *was, struct ta_err *err)
{
	struct cluster c;
	int64_t end = clock_mono_us() + STOP_US;
	enum ta_rc rc = cluster_at(&c, dir, err);
	if (rc)
		return rc;
	pid_t pid = up_supervisor(dir);
	*was = pid > 0;
	if (!pid)
		return cluster_stop(&c, was, err);
	if (kill(pid, SIGTERM) && errno != ESRCH)
		return ta_fail_os(err, "cannot stop the supervisor (pid %d)", (int)pid);
	while (up_supervisor(dir) == pid) {
		if (clock_mono_us() > end)
			return ta_fail(err, TA_TIMEOUT,
				"the supervisor (pid %d) does not stop; see %.100s/log/trackai.log",
				(int)pid, dir);
		pause_ms(30);
	}
	return TA_OK;
}

enum ta_rc up_default(struct ta_err *err)
{
	struct up_state st;
	const struct up_opts o = {0};
	if (conf_has_database())
		return TA_OK;
	enum ta_rc rc = up_start(&o, &st, err);
	return rc ? rc : up_drop_root(err);
}

/* The commands ------------------------------------------------------------------------------- */

static enum ta_rc refuse_named(const char *word, struct ta_err *err)
{
	if (!conf_has_database())
		return TA_OK;
	const char *origin = *conf_get(CONF_DATABASE) ? conf_origin(CONF_DATABASE) : "PG*";
	return ta_fail(err, TA_CONFIG,
		"a database is named (%.60s), so nothing private is %s; use `trackai migrate` and "
		"`trackai serve`",
		origin, strcmp(word, "up") == 0 ? "started" : "running");
}

static enum ta_rc no_arguments(int *argc, char **argv, struct ta_err *err)
{
	const struct opt none[] = {{0}};
	enum ta_rc rc = opt_parse(argc, argv, none, err);
	if (!rc && *argc > 1)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	return rc ? rc : refuse_named(argv[0], err);
}

int cmd_up(int argc, char **argv)
{
	struct ta_err err = {0};
	struct up_state st = {0};
	const struct up_opts o = {0};
	enum ta_rc rc = no_arguments(&argc, argv, &err);
	if (!rc)
		rc = up_start(&o, &st, &err);
	if (rc)
		return cmd_fail("up", &err);
	printf("%s (pid %d)\n  webhooks and events: http://%s\n  database: %s\n  log: "
	       "%s/log/trackai.log\nstop it with: trackai down\n",
		st.already ? "already running" : "running", (int)st.supervisor,
		conf_get(CONF_LISTEN), conf_get(CONF_DATABASE), conf_data_dir());
	return 0;
}

int cmd_down(int argc, char **argv)
{
	bool was = false;
	struct ta_err err = {0};
	enum ta_rc rc = no_arguments(&argc, argv, &err);
	if (!rc)
		rc = up_stop(conf_data_dir(), &was, &err);
	if (rc)
		return cmd_fail("down", &err);
	puts(was ? "stopped" : "nothing was running");
	return 0;
}
