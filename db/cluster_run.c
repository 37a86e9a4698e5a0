/* The private cluster's server: start, adopt, stop. */
#include "db/cluster.h"

#include "db/conn.h"
#include "src/clock.h"
#include "src/log.h"
#include "src/super.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_US (60 * US_PER_S) /* without a sign of life; recovery may take longer */
#define STOP_US  (60 * US_PER_S)

static void pause_ms(int ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000L};
	(void)nanosleep(&t, NULL);
}

/* A server's working directory is its data directory. */
static bool works_in(const char *pid, const char *pgdata)
{
	char link[64], cwd[600], real[4096];
	snprintf(link, sizeof(link), "/proc/%.20s/cwd", pid);
	ssize_t n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n <= 0 || !realpath(pgdata, real))
		return false;
	cwd[n] = '\0';
	return strcmp(cwd, real) == 0;
}

/* Two files name the server: one guards the data, one the socket. */
static void pid_path(const struct cluster *c, char out[600])
{
	snprintf(out, 600, "%s/postmaster.pid", c->pgdata);
}

static void socket_path(const struct cluster *c, char out[600])
{
	snprintf(out, 600, "%s/.s.PGSQL.5432.lock", c->socket);
}

static pid_t pid_in_file(const char *path)
{
	char line[40] = "";
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	bool got = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	long pid = got ? strtol(line, NULL, 10) : 0;
	return pid > 1 ? (pid_t)pid : 0;
}

pid_t cluster_pid(const struct cluster *c)
{
	char text[24], path[600];
	pid_path(c, path);
	pid_t pid = pid_in_file(path);
	snprintf(text, sizeof(text), "%d", (int)pid);
	return pid && works_in(text, c->pgdata) ? pid : 0;
}

/* Backends outlive a killed postmaster for a moment; while one is there its pid file guards the
 * shared memory and must stay. */
static bool anyone_works_in(const char *pgdata)
{
	bool found = false;
	DIR *d = opendir("/proc");
	for (struct dirent *e; d && !found && (e = readdir(d));)
		found = isdigit((unsigned char)e->d_name[0]) && works_in(e->d_name, pgdata);
	if (d)
		closedir(d);
	return found;
}

/* PostgreSQL removes the file of a process that is gone by itself; when the number now belongs to
 * another program, or to a dead process that nobody collects, it would refuse to start for ever. */
static void remove_stale(const struct cluster *c, const char *path)
{
	pid_t pid = pid_in_file(path);
	if (!pid || cluster_pid(c) || (kill(pid, 0) && errno == ESRCH) ||
		anyone_works_in(c->pgdata))
		return;
	log_warn("%s names process %d, which is no server of ours; removing it", path, (int)pid);
	(void)unlink(path);
}

/* A server that starts while its dead predecessor's backends still end would refuse. */
static void wait_for_backends(const struct cluster *c)
{
	int64_t end = clock_mono_us() + 5 * US_PER_S;
	while (!cluster_pid(c) && anyone_works_in(c->pgdata) && clock_mono_us() < end)
		pause_ms(20);
}

int cluster_exec(void *arg)
{
	const struct cluster *c = arg;
	char program[300], path[600];
	snprintf(program, sizeof(program), "%s/postgres", c->bin);
	wait_for_backends(c);
	pid_path(c, path);
	remove_stale(c, path);
	socket_path(c, path);
	remove_stale(c, path);
	int null = open("/dev/null", O_RDONLY);
	int out = open(c->log, O_WRONLY | O_CREAT | O_APPEND, 0640);
	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		return 127;
	(void)setsid(); /* a Ctrl-C at our terminal is not meant for it */
	execl(program, program, "-D", c->pgdata, "-k", c->socket, (char *)NULL);
	return 127;
}

/* Starting ----------------------------------------------------------------------------------- */

/* The last line of the log behind `from` that says what is fatal, "" if none. */
static void last_words(const struct cluster *c, long from, char out[160])
{
	char line[400];
	out[0] = '\0';
	FILE *f = fopen(c->log, "re");
	if (!f)
		return;
	(void)fseek(f, from, SEEK_SET);
	while (fgets(line, sizeof(line), f)) {
		const char *p = strstr(line, "FATAL:");
		p = p ? p : strstr(line, "PANIC:");
		if (!p && strncmp(line, "postgres: ", 10) == 0)
			p = line + 2; /* before its log has prefixes; 8 more are passed over */
		if (p)
			snprintf(out, 160, "%.*s", (int)TA_MIN(strcspn(p + 8, "\n"), 150u), p + 8);
	}
	fclose(f);
}

static long log_size(const struct cluster *c)
{
	struct stat st;
	return stat(c->log, &st) ? 0 : (long)st.st_size;
}

static enum ta_rc explain(const struct cluster *c, long from, struct ta_err *err)
{
	char words[160];
	last_words(c, from, words);
	if (strstr(words, "No space left") || strstr(words, "Disk quota"))
		return ta_fail(err, TA_IO,
			"the database cannot start: the disk of %.80s is full; free some space (df -h), "
			"then run this again; nothing accepted is lost",
			c->dir);
	return ta_fail(err, TA_IO, "the database in %.60s cannot start: %.100s (see %.60s)",
		c->pgdata, *words ? words : "no reason given", c->log);
}

static enum ta_rc wait_ready(
	const struct cluster *c, const struct cluster_server *s, long from, struct ta_err *err)
{
	char conninfo[1200];
	int64_t end = clock_mono_us() + START_US;
	cluster_conninfo(c, "postgres", conninfo, sizeof(conninfo));
	for (;;) {
		PGPing ping = PQping(conninfo);
		if (ping == PQPING_OK)
			return TA_OK;
		if (ping == PQPING_REJECT) /* recovers after a crash: that is progress */
			end = clock_mono_us() + START_US;
		if (!s->adopted && waitpid(s->pid, NULL, WNOHANG) == s->pid)
			return explain(c, from, err);
		if (s->adopted && kill(s->pid, 0) && errno == ESRCH)
			return ta_fail(err, TA_IO,
				"the running database in %.100s stopped; try again", c->pgdata);
		if (clock_mono_us() > end)
			return ta_fail(err, TA_TIMEOUT,
				"the database in %.80s takes no connections; see %.80s", c->pgdata,
				c->log);
		pause_ms(30);
	}
}

static enum ta_rc make_database(const struct cluster *c, struct ta_err *err)
{
	char conninfo[1200];
	struct db *db = NULL;
	PGresult *r = NULL;
	cluster_conninfo(c, "postgres", conninfo, sizeof(conninfo));
	enum ta_rc rc = db_open(conninfo, "up", &db, err);
	if (!rc)
		rc = db_query(db, "SELECT FROM pg_database WHERE datname = '" CLUSTER_DB "'", NULL,
			&r, err);
	if (!rc && db_rows(r) == 0)
		rc = db_exec(db, "CREATE DATABASE " CLUSTER_DB " TEMPLATE template0", err);
	PQclear(r);
	db_close(db);
	return rc;
}

/* Backends of a killed postmaster hold the shared memory for a moment: then the start is tried
 * again. */
static enum ta_rc start_once(struct cluster *c, struct cluster_server *out, struct ta_err *err)
{
	long from = log_size(c);
	*out = (struct cluster_server){.pid = cluster_pid(c)};
	out->adopted = out->pid > 0;
	if (!out->adopted) {
		out->pid = super_fork(cluster_exec, c, true);
		if (out->pid < 0)
			return ta_fail_os(err, "cannot start a process for the database");
	}
	return wait_ready(c, out, from, err);
}

enum ta_rc cluster_start(struct cluster *c, struct cluster_server *out, struct ta_err *err)
{
	enum ta_rc rc;
	int64_t end = clock_mono_us() + 10 * US_PER_S;
	while ((rc = start_once(c, out, err)) == TA_IO && clock_mono_us() < end &&
		(out->adopted || anyone_works_in(c->pgdata)))
		pause_ms(100);
	if (!rc)
		rc = make_database(c, err);
	if (!rc && out->adopted)
		log_info("adopted the running database (pid %d)", (int)out->pid);
	return rc;
}

enum ta_rc cluster_stop(const struct cluster *c, bool *was, struct ta_err *err)
{
	int64_t end = clock_mono_us() + STOP_US;
	pid_t pid = cluster_pid(c);
	*was = pid > 0;
	if (!pid)
		return TA_OK;
	if (kill(pid, SIGINT) && errno != ESRCH)
		return ta_fail_os(err, "cannot stop the database (pid %d)", (int)pid);
	for (;;) {
		(void)waitpid(pid, NULL, WNOHANG); /* when it is our child */
		if (cluster_pid(c) != pid)
			return TA_OK;
		if (clock_mono_us() > end)
			return ta_fail(err, TA_TIMEOUT,
				"the database (pid %d) does not stop; see %.100s", (int)pid,
				c->log);
		pause_ms(30);
	}
}
