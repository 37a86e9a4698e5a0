#include "db/cluster.h"

#include "src/buf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEEDED (INT64_C(200) << 20) /* bytes a new cluster needs, with its first WAL */

enum ta_rc cluster_at(struct cluster *c, const char *dir, struct ta_err *err)
{
	static const char name[] = "/sock/.s.PGSQL.5432";
	struct sockaddr_un un;
	*c = (struct cluster){0};
	if (dir[0] != '/')
		return ta_fail(
			err, TA_CONFIG, "the data dir \"%.80s\" is not an absolute path", dir);
	if (strlen(dir) + sizeof(name) > sizeof(un.sun_path))
		return ta_fail(err, TA_CONFIG,
			"the data dir %.120s is too long for a Unix socket in it (%zu bytes at most); "
			"set `data` to a shorter path",
			dir, sizeof(un.sun_path) - sizeof(name));
	snprintf(c->dir, sizeof(c->dir), "%s", dir);
	snprintf(c->pgdata, sizeof(c->pgdata), "%s/pg", dir);
	snprintf(c->socket, sizeof(c->socket), "%s/sock", dir);
	snprintf(c->log, sizeof(c->log), "%s/log/postgresql.log", dir);
	return TA_OK;
}

int cluster_data_major(const struct cluster *c)
{
	char path[600], text[16] = "";
	snprintf(path, sizeof(path), "%s/PG_VERSION", c->pgdata);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	bool got = fgets(text, sizeof(text), f) != NULL;
	fclose(f);
	return got ? (int)strtol(text, NULL, 10) : 0;
}

bool cluster_exists(const struct cluster *c)
{
	return cluster_data_major(c) > 0;
}

void cluster_conninfo(const struct cluster *c, const char *database, char *out, size_t size)
{
	struct buf b = BUF_INIT(4096);
	buf_adds(&b, "host='");
	for (const char *p = c->socket; *p; p++) {
		if (*p == '\'' || *p == '\\')
			buf_addc(&b, '\\');
		buf_addc(&b, *p);
	}
	buf_addf(&b, "' port=5432 user=trackai dbname=%s", database);
	snprintf(out, size, "%s", buf_str(&b));
	buf_release(&b);
}

/* Programs ----------------------------------------------------------------------------------- */

static bool has_programs(const char *dir)
{
	char path[400];
	snprintf(path, sizeof(path), "%s/initdb", dir);
	if (access(path, X_OK))
		return false;
	snprintf(path, sizeof(path), "%s/postgres", dir);
	return access(path, X_OK) == 0;
}

static void offer(struct cluster *c, const char *dir, int major, int want)
{
	if (major < CLUSTER_MIN_MAJOR || (want && major != want) || major <= c->major ||
		strlen(dir) >= sizeof(c->bin) || !has_programs(dir))
		return;
	snprintf(c->bin, sizeof(c->bin), "%s", dir);
	c->major = major;
}

/* "postgres (PostgreSQL) 15.14 …" of the program itself. */
static int ask_major(const char *dir)
{
	char command[400], line[200] = "";
	if (strchr(dir, '\''))
		return 0;
	snprintf(command, sizeof(command), "'%s/postgres' --version 2>/dev/null", dir);
	FILE *f = popen(command, "re");
	if (!f)
		return 0;
	const char *got = fgets(line, sizeof(line), f);
	pclose(f);
	const char *p = got ? strstr(got, "(PostgreSQL) ") : NULL;
	return p ? (int)strtol(p + 13, NULL, 10) : 0;
}

static int by_root(struct cluster *c, const char *root, int want)
{
	char dir[300];
	int newest = 0;
	DIR *d = opendir(root);
	for (struct dirent *e; d && (e = readdir(d));) {
		int major = (int)strtol(e->d_name, NULL, 10);
		snprintf(dir, sizeof(dir), "%.150s/%.20s/bin", root, e->d_name);
		if (!isdigit((unsigned char)e->d_name[0]) || !has_programs(dir))
			continue;
		newest = TA_MAX(newest, major);
		offer(c, dir, major, want);
	}
	if (d)
		closedir(d);
	return newest;
}

static int by_path(struct cluster *c, const char *path, int want)
{
	char dir[256];
	int newest = 0;
	for (const char *p = path; p && *p;) {
		size_t n = strcspn(p, ":");
		if (n > 0 && n < sizeof(dir) && p[0] == '/') {
			memcpy(dir, p, n);
			dir[n] = '\0';
			int major = has_programs(dir) ? ask_major(dir) : 0;
			newest = TA_MAX(newest, major);
			offer(c, dir, major, want);
		}
		p += n + (p[n] == ':');
	}
	return newest;
}

enum ta_rc cluster_programs_in(
	struct cluster *c, const char *root, const char *path, struct ta_err *err)
{
	int want = cluster_data_major(c);
	c->bin[0] = '\0';
	c->major = 0;
	int newest = by_root(c, root, want);
	if (!c->major)
		newest = TA_MAX(by_path(c, path, want), newest);
	if (c->major)
		return TA_OK;
	if (want && newest)
		return ta_fail(err, TA_CONFIG,
			"the data in %.80s was made by PostgreSQL %d, installed is %d; install "
			"postgresql-%d, or move the data with pg_upgrade",
			c->pgdata, want, newest, want);
	if (newest)
		return ta_fail(err, TA_CONFIG,
			"the installed PostgreSQL %d is too old; install %d or newer, or name a server "
			"in the setting `database`",
			newest, CLUSTER_MIN_MAJOR);
	return ta_fail(err, TA_CONFIG,
		"PostgreSQL's programs (initdb, postgres) are not installed; install them (Debian: "
		"apt-get install postgresql-15), or name a server in the setting `database`");
}

enum ta_rc cluster_programs(struct cluster *c, struct ta_err *err)
{
	return cluster_programs_in(c, "/usr/lib/postgresql", getenv("PATH"), err);
}

/* First use ---------------------------------------------------------------------------------- */

static enum ta_rc make_dir(const char *path, mode_t mode, struct ta_err *err)
{
	if (mkdir(path, mode) && errno != EEXIST)
		return ta_fail_os(err, "cannot make the directory %.150s", path);
	return TA_OK;
}

static enum ta_rc make_dirs(const struct cluster *c, struct ta_err *err)
{
	char path[600];
	enum ta_rc rc = TA_OK;
	snprintf(path, sizeof(path), "%s", c->dir);
	for (char *p = path + 1; !rc && *p; p++)
		if (*p == '/') {
			*p = '\0';
			rc = make_dir(path, 0755, err);
			*p = '/';
		}
	if (!rc)
		rc = make_dir(path, 0755, err);
	snprintf(path, sizeof(path), "%s/log", c->dir);
	if (!rc)
		rc = make_dir(path, 0755, err);
	snprintf(path, sizeof(path), "%s/run", c->dir);
	if (!rc)
		rc = make_dir(path, 0755, err);
	if (!rc)
		rc = make_dir(c->socket, 0700, err);
	if (!rc && chmod(c->socket, 0700))
		rc = ta_fail_os(err, "cannot make %.150s private", c->socket);
	return rc;
}

static enum ta_rc check_space(const struct cluster *c, struct ta_err *err)
{
	struct statvfs v;
	if (statvfs(c->dir, &v))
		return ta_fail_os(err, "cannot look at the disk of %.150s", c->dir);
	int64_t left = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	if (left >= NEEDED)
		return TA_OK;
	return ta_fail(err, TA_CONFIG,
		"a database needs %lld MiB, %.100s has %lld MiB left; free some space or set `data` "
		"to another disk",
		(long long)(NEEDED >> 20), c->dir, (long long)(left >> 20));
}

/* Removes a directory of files (one level of directories inside is enough for a dead initdb). */
static void remove_tree(const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

static enum ta_rc run_initdb(const struct cluster *c, const char *tmp, struct ta_err *err)
{
	char program[300], out[600];
	int status = 0;
	snprintf(program, sizeof(program), "%s/initdb", c->bin);
	snprintf(out, sizeof(out), "%s/log/initdb.log", c->dir);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0640);
		if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(127);
		/* The whole path as its name: it finds postgres beside itself by that. */
		execl(program, program, "-D", tmp, "-U", "trackai", "-A", "trust", "--no-locale",
			"-E", "UTF8", "--no-instructions", (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return ta_fail_os(err, "cannot run %s", program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return TA_OK;
	return ta_fail(
		err, TA_IO, "initdb could not make the database in %.80s; %s says why", tmp, out);
}

static enum ta_rc write_settings(const char *tmp, struct ta_err *err)
{
	char path[620];
	snprintf(path, sizeof(path), "%s/postgresql.conf", tmp);
	FILE *f = fopen(path, "ae");
	if (!f)
		return ta_fail_os(err, "cannot write %.150s", path);
	fputs("\n# Track AI: private, on a Unix socket only, durable, small.\n"
	      "listen_addresses = ''\n"
	      "unix_socket_permissions = 0700\n"
	      "max_connections = 60\n"
	      "shared_buffers = 64MB\n"
	      "work_mem = 8MB\n"
	      "maintenance_work_mem = 64MB\n"
	      "fsync = on\n"
	      "full_page_writes = on\n"
	      "synchronous_commit = on\n"
	      "min_wal_size = 128MB\n"
	      "max_wal_size = 1GB\n"
	      "checkpoint_timeout = 15min\n"
	      "max_worker_processes = 4\n"
	      "max_parallel_workers_per_gather = 0\n"
	      "max_logical_replication_workers = 0\n"
	      "jit = off\n"
	      "autovacuum_naptime = 30s\n"
	      "timezone = 'UTC'\n"
	      "log_timezone = 'UTC'\n"
	      "log_line_prefix = '%m %p '\n"
	      "log_min_messages = warning\n",
		f);
	return fclose(f) ? ta_fail_os(err, "cannot write %.150s", path) : TA_OK;
}

enum ta_rc cluster_init(struct cluster *c, struct ta_err *err)
{
	char tmp[600];
	if (geteuid() == 0)
		return ta_fail(err, TA_CONFIG,
			"PostgreSQL refuses to run as root; run this as an ordinary user");
	enum ta_rc rc = make_dirs(c, err);
	if (rc || cluster_exists(c))
		return rc;
	if (access(c->pgdata, F_OK) == 0)
		return ta_fail(err, TA_CONFIG,
			"%.150s is there but holds no database; move it away, or set `data` to "
			"another place",
			c->pgdata);
	rc = check_space(c, err);
	if (rc)
		return rc;
	snprintf(tmp, sizeof(tmp), "%s.new", c->pgdata);
	remove_tree(tmp); /* of a first use that was interrupted */
	rc = run_initdb(c, tmp, err);
	if (!rc)
		rc = write_settings(tmp, err);
	if (!rc && rename(tmp, c->pgdata))
		rc = ta_fail_os(err, "cannot rename %.150s", tmp);
	return rc;
}
