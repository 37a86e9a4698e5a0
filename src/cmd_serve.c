/* trackai serve: the supervisor of the pipeline's processes. Never starts a cluster, never
 * migrates. */
#include "src/cmd_serve.h"

#include "db/conn.h"
#include "db/folder.h"
#include "db/migrate.h"
#include "db/secret.h"
#include "net/dispatcher.h"
#include "net/http.h"
#include "net/listener.h"
#include "net/notify.h"
#include "net/puller.h"
#include "net/router.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/conf.h"
#include "src/log.h"
#include "src/opt.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS_US (5 * US_PER_S)

static const struct known {
	const char *name;
	int (*run)(const struct role *role);
	const char *key;
} known[] = {
#define ROLE(word, run, key) {word, run, key},
#include "src/roles.def"
#undef ROLE
};

static enum ta_rc make_dir(const char *path, struct ta_err *err)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		return ta_fail_os(err, "cannot make the directory %s", path);
	return TA_OK;
}

static enum ta_rc read_level(enum log_level *out, struct ta_err *err)
{
	char word[40];
	enum ta_rc rc = conf_again(CONF_LOG_LEVEL, word, sizeof(word), err);
	if (!rc && !log_level_of(word, out))
		rc = ta_fail(err, TA_CONFIG,
			"log level: \"%.30s\" is none of error, warn, info, debug", word);
	return rc;
}

enum ta_rc serve_open_log(bool also_stderr, struct ta_err *err)
{
	char dir[600], path[640];
	snprintf(dir, sizeof(dir), "%s/log", conf_data_dir());
	for (char *p = dir + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			enum ta_rc rc = make_dir(dir, err);
			*p = '/';
			if (rc)
				return rc;
		}
	enum ta_rc rc = make_dir(dir, err);
	snprintf(path, sizeof(path), "%s/trackai.log", dir);
	if (!rc)
		rc = log_open(path, also_stderr, err);
	return rc ? rc : log_level_from(read_level, err);
}

/* Is the word at `list` one of known[]? Its length goes to *n. */
static const struct known *role_at(const char *list, size_t *n)
{
	*n = strcspn(list, ",");
	for (size_t i = 0; i < TA_COUNT(known); i++)
		if (strlen(known[i].name) == *n && memcmp(known[i].name, list, *n) == 0)
			return &known[i];
	return NULL;
}

static void add_role(struct serve *s, const struct known *k, const char *database)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->roles[i].name, k->name) == 0)
			return;
	TA_ASSERT(s->n < SERVE_ROLES);
	s->run[s->n] = k->run;
	s->roles[s->n++] = (struct role){.name = k->name, .database = database};
}

static enum ta_rc pick(struct serve *s, const char *list, const char *database, struct ta_err *err)
{
	size_t n;
	for (size_t i = 0; !list && i < TA_COUNT(known); i++)
		add_role(s, &known[i], database);
	for (const char *p = list; p && *p; p += n + (p[n] == ',')) {
		const struct known *k = role_at(p, &n);
		if (!k)
			return ta_fail(err, TA_USAGE,
				"--roles: \"%.*s\" is none of listener, router, dispatcher, puller, "
				"folder",
				(int)TA_MIN(n, 40), p);
		add_role(s, k, database);
	}
	if (list && !*list)
		return ta_fail(err, TA_USAGE, "--roles: name at least one role");
	return TA_OK;
}

static enum ta_rc load_keys(struct serve *s, struct db *db, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < s->n; i++)
		for (size_t k = 0; !rc && k < TA_COUNT(known); k++)
			if (strcmp(known[k].name, s->roles[i].name) == 0 && known[k].key) {
				int purpose = secret_purpose_of(known[k].key);
				TA_ASSERT(purpose >= 0);
				rc = secret_load(db, conf_key_dir(), (enum secret_purpose)purpose,
					s->roles[i].key, err);
				s->roles[i].has_key = !rc;
			}
	return rc;
}

/* Another serve, or anything else, on our address would make the listener die again and again:
 * said once, here, instead. */
static enum ta_rc probe_address(const struct serve *s, struct ta_err *err)
{
	char host[64], service[16];
	int port, one = 1;
	bool listens = false;
	for (size_t i = 0; i < s->n; i++)
		listens |= strcmp(s->roles[i].name, "listener") == 0;
	if (!listens)
		return TA_OK;
	enum ta_rc rc = conf_address(conf_get(CONF_LISTEN), host, &port, err);
	if (rc)
		return rc;
	const struct addrinfo hint = {
		.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *ai = NULL;
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(host, service, &hint, &ai))
		return ta_fail(err, TA_CONFIG, "listen: \"%s\" is no numeric address", host);
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		rc = ta_fail_os(err, "cannot make a socket");
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
		 bind(fd, ai->ai_addr, ai->ai_addrlen)) {
		ta_fail_os(err,
			"cannot listen on %s; stop what listens there (another trackai?) or set "
			"`listen`",
			conf_get(CONF_LISTEN));
		rc = err->rc = TA_CONFIG;
	}
	if (fd >= 0)
		close(fd);
	freeaddrinfo(ai);
	return rc;
}

/* What a role would only find out when it is needed. */
static enum ta_rc check_settings(struct ta_err *err)
{
	static const enum conf_key urls[] = {CONF_PINTEREST_URL, CONF_META_URL, CONF_TIKTOK_URL,
		CONF_SHOPIFY_URL, CONF_SHEETS_URL, CONF_GOOGLE_TOKEN_URL};
	int64_t reserve;
	for (size_t i = 0; i < TA_COUNT(urls); i++) {
		const char *url = conf_get(urls[i]);
		if (*url && !http_url_allowed(url))
			return ta_fail(err, TA_CONFIG,
				"%s (%s): \"%.120s\" is no address we send to; it must be https, or "
				"http to the loopback",
				conf_word(urls[i]), conf_origin(urls[i]), url);
	}
	enum ta_rc rc = conf_bytes(CONF_DISK_RESERVE, &reserve, err);
	return rc ? rc : notify_check(err);
}

/* The listener of a supervisor that was just killed lets its address go at once, but only when the
 * machine lets it run. */
static enum ta_rc await_address(const struct serve *s, struct ta_err *err)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	int64_t end = clock_mono_us() + ADDRESS_US;
	enum ta_rc rc;
	while ((rc = probe_address(s, err)) && err->os == EADDRINUSE && clock_mono_us() < end)
		(void)nanosleep(&pause, NULL);
	return rc;
}

enum ta_rc serve_prepare(
	struct serve *s, const char *roles, const char *database, struct ta_err *err)
{
	struct db *db = NULL;
	*s = (struct serve){0};
	enum ta_rc rc = pick(s, roles, database, err);
	if (!rc)
		rc = check_settings(err);
	if (!rc)
		rc = db_open(database, "serve", &db, err);
	if (!rc)
		rc = db_check_writer(db, err);
	if (!rc)
		rc = migrate_check(db, err);
	if (!rc)
		rc = load_keys(s, db, err);
	if (!rc)
		rc = await_address(s, err);
	db_close(db);
	if (rc)
		serve_wipe(s);
	return rc;
}

void serve_wipe(struct serve *s)
{
	for (size_t i = 0; i < s->n; i++)
		crypto_wipe(s->roles[i].key, sizeof(s->roles[i].key));
}

/* In the child: only its own key stays. */
static int run_slot(void *arg)
{
	struct serve_slot *slot = arg;
	struct serve *s = slot->serve;
	for (size_t i = 0; i < s->n; i++)
		if (i != slot->i)
			crypto_wipe(s->roles[i].key, sizeof(s->roles[i].key));
	role_begin(&s->roles[slot->i]);
	log_info("started");
	int status = s->run[slot->i](&s->roles[slot->i]);
	log_info("stopped");
	return status;
}

size_t serve_children(struct serve *s, struct super_child *out, int group)
{
	for (size_t i = 0; i < s->n; i++) {
		s->slots[i] = (struct serve_slot){s, i};
		out[i] = (struct super_child){.name = s->roles[i].name,
			.run = run_slot,
			.arg = &s->slots[i],
			.group = group,
			.reloads = true};
	}
	return s->n;
}

/* So that the listener may hold its 16,384 connections. */
static void raise_files(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static void reopen_log(void *arg)
{
	struct ta_err err;
	(void)arg;
	if (serve_open_log(true, &err))
		log_error("%s", err.msg);
}

int cmd_serve(int argc, char **argv)
{
	const char *roles = NULL, *database = NULL;
	struct ta_err err = {0};
	struct serve s;
	struct super_child children[SERVE_ROLES];
	const struct opt opts[] = {
		{"roles", OPT_STR, &roles, "which processes, comma-separated"}, {0}};
	log_role("serve");
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc)
		rc = serve_open_log(true, &err);
	if (!rc)
		rc = cmd_database(&database, &err);
	if (!rc)
		rc = serve_prepare(&s, roles, database, &err);
	if (rc)
		return cmd_fail("serve", &err);
	raise_files();
	struct super super = {.children = children,
		.n = serve_children(&s, children, 0),
		.on_reload = reopen_log};
	log_info("serving %s", conf_get(CONF_LISTEN));
	rc = super_run(&super, &err);
	serve_wipe(&s);
	return rc ? cmd_fail("serve", &err) : 0;
}
