/* The private cluster without a server: paths, the socket's limit, which programs are chosen. */
#include "db/cluster.h"

#include "src/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/ta-cluster-XXXXXX";

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A directory that looks like Debian's /usr/lib/postgresql/N/bin. */
static void install(const char *root, const char *version)
{
	char path[300], program[400];
	snprintf(path, sizeof(path), "%s", root);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s", root, version);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/bin", root, version);
	(void)mkdir(path, 0755);
	snprintf(program, sizeof(program), "%s/initdb", path);
	write_file(program, "#!/bin/sh\n", 0755);
	snprintf(program, sizeof(program), "%s/postgres", path);
	snprintf(path, sizeof(path), "#!/bin/sh\necho 'postgres (PostgreSQL) %s.3 (Test)'\n",
		version);
	write_file(program, path, 0755);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void test_paths(void **state)
{
	(void)state;
	struct cluster c;
	struct ta_err err = {0};
	char conninfo[1200], path[200];
	assert_int_equal(cluster_at(&c, "/var/lib/trackai", &err), TA_OK);
	assert_string_equal(c.pgdata, "/var/lib/trackai/pg");
	cluster_conninfo(&c, "x", conninfo, sizeof(conninfo));
	assert_string_equal(
		conninfo, "host='/var/lib/trackai/sock' port=5432 user=trackai dbname=x");
	assert_int_equal(cluster_at(&c, "/it's", &err), TA_OK);
	cluster_conninfo(&c, "x", conninfo, sizeof(conninfo));
	assert_string_equal(conninfo, "host='/it\\'s/sock' port=5432 user=trackai dbname=x");
	assert_int_equal(cluster_at(&c, "relative", &err), TA_CONFIG);
	/* 107 bytes and a NUL are what a socket's address holds; 19 of them are ours. */
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[88] = '\0';
	assert_int_equal(cluster_at(&c, path, &err), TA_OK);
	path[88] = 'a';
	path[89] = '\0';
	assert_int_equal(cluster_at(&c, path, &err), TA_CONFIG);
	assert_non_null(strstr(err.msg, "too long"));
}

static void test_programs(void **state)
{
	(void)state;
	struct cluster c;
	struct ta_err err = {0};
	char root[100], data[100], path[700], want[200];
	snprintf(root, sizeof(root), "%s/lib", dir);
	snprintf(data, sizeof(data), "%s/data", dir);
	assert_int_equal(cluster_at(&c, data, &err), TA_OK);
	assert_int_equal(cluster_programs_in(&c, root, "", &err), TA_CONFIG);
	assert_non_null(strstr(err.msg, "apt-get install"));

	install(root, "14");
	assert_int_equal(cluster_programs_in(&c, root, NULL, &err), TA_CONFIG);
	assert_non_null(strstr(err.msg, "too old"));

	install(root, "15");
	install(root, "17");
	assert_int_equal(cluster_programs_in(&c, root, NULL, &err), TA_OK);
	assert_int_equal(c.major, 17);
	snprintf(want, sizeof(want), "%s/17/bin", root);
	assert_string_equal(c.bin, want);

	/* Data of an older major takes that major's programs, when they are there. */
	assert_int_equal(mkdir(data, 0755), 0);
	assert_int_equal(mkdir(c.pgdata, 0755), 0);
	snprintf(path, sizeof(path), "%s/PG_VERSION", c.pgdata);
	write_file(path, "15\n", 0600);
	assert_true(cluster_exists(&c));
	assert_int_equal(cluster_programs_in(&c, root, NULL, &err), TA_OK);
	assert_int_equal(c.major, 15);
	write_file(path, "16\n", 0600);
	assert_int_equal(cluster_programs_in(&c, root, NULL, &err), TA_CONFIG);
	assert_non_null(strstr(err.msg, "pg_upgrade"));
}

static void test_programs_in_path(void **state)
{
	(void)state;
	struct cluster c;
	struct ta_err err = {0};
	char root[100], path[300];
	snprintf(root, sizeof(root), "%s/opt", dir);
	install(root, "16");
	snprintf(path, sizeof(path), "/nonexistent:relative:%s/16/bin:/bin", root);
	assert_int_equal(cluster_at(&c, "/nonexistent", &err), TA_OK);
	assert_int_equal(cluster_programs_in(&c, "/nonexistent", path, &err), TA_OK);
	assert_int_equal(c.major, 16);
}

static void test_no_server(void **state)
{
	(void)state;
	struct cluster c;
	struct ta_err err = {0};
	bool was = true;
	char data[100], path[700];
	snprintf(data, sizeof(data), "%s/other", dir);
	assert_int_equal(cluster_at(&c, data, &err), TA_OK);
	assert_int_equal(cluster_pid(&c), 0);
	assert_int_equal(mkdir(data, 0755), 0);
	assert_int_equal(mkdir(c.pgdata, 0755), 0);
	/* A pid file that names a living process which is no server of ours. */
	snprintf(path, sizeof(path), "%s/postmaster.pid", c.pgdata);
	snprintf(data, sizeof(data), "%d\n", (int)getpid());
	write_file(path, data, 0600);
	assert_int_equal(cluster_pid(&c), 0);
	assert_int_equal(cluster_stop(&c, &was, &err), TA_OK);
	assert_false(was);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_programs_in_path),
		cmocka_unit_test(test_no_server),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
