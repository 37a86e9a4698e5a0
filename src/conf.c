#include "src/conf.h"

#include "src/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct {
	const char *word, *flag, *env, *def;
} rows[CONF_COUNT] = {
#define SETTING(name, word, flag, env, def, help) [CONF_##name] = {word, flag, env, def},
#include "src/conf.def"
#undef SETTING
};

static struct {
	char *text, *origin;
} values[CONF_COUNT];

void conf_set(enum conf_key k, const char *value, const char *origin)
{
	char *text = ta_strdup(value), *from = ta_strdup(origin);
	bool url = k >= CONF_PINTEREST_URL && k <= CONF_GOOGLE_TOKEN_URL;
	for (size_t n = strlen(text); url && n && text[n - 1] == '/'; n--)
		text[n - 1] = '\0'; /* paths are put behind it with a slash of their own */
	free(values[k].text);
	free(values[k].origin);
	values[k].text = text;
	values[k].origin = from;
}

const char *conf_get(enum conf_key k)
{
	return values[k].text ? values[k].text : rows[k].def;
}

const char *conf_origin(enum conf_key k)
{
	return values[k].origin ? values[k].origin : "default";
}

const char *conf_word(enum conf_key k)
{
	return rows[k].word;
}

static char *trim(char *s)
{
	s += strspn(s, " \t");
	size_t n = strlen(s);
	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
	return s;
}

/* One setting that is only looked at. */
struct look {
	enum conf_key key;
	char *out;
	size_t n;
};

static void take(enum conf_key k, const char *value, const char *origin, const struct look *look)
{
	if (!look)
		conf_set(k, value, origin);
	else if (look->key == k)
		snprintf(look->out, look->n, "%s", value);
}

static enum ta_rc read_line(
	const char *path, int line, char *text, const struct look *look, struct ta_err *err)
{
	char *s = trim(text), *eq = strchr(s, '=');
	if (!*s || *s == '#')
		return TA_OK;
	if (!eq)
		return ta_fail(err, TA_CONFIG, "%s:%d: write `key = value`", path, line);
	*eq = '\0';
	char *key = trim(s), *value = trim(eq + 1), origin[300];
	for (int k = 0; k < CONF_COUNT; k++)
		if (strcmp(rows[k].word, key) == 0) {
			snprintf(origin, sizeof(origin), "%s:%d", path, line);
			take((enum conf_key)k, value, origin, look);
			return TA_OK;
		}
	return ta_fail(err, TA_CONFIG,
		"%s:%d: there is no setting \"%.40s\"; trackai conf lists them", path, line, key);
}

static enum ta_rc read_file(const char *path, const struct look *look, struct ta_err *err)
{
	char text[1024];
	enum ta_rc rc = TA_OK;
	FILE *f = fopen(path, "re");
	if (!f && (errno == ENOENT || errno == EACCES || errno == ENOTDIR))
		return TA_OK;
	if (!f)
		return ta_fail_os(err, "cannot read %s", path);
	for (int line = 1; !rc && fgets(text, sizeof(text), f); line++)
		rc = read_line(path, line, text, look, err);
	fclose(f);
	return rc;
}

static void read_environment(void)
{
	for (int k = 0; k < CONF_COUNT; k++) {
		const char *v = getenv(rows[k].env);
		if (v && *v)
			conf_set((enum conf_key)k, v, rows[k].env);
	}
	const char *url = getenv("DATABASE_URL");
	if (url && *url && !getenv("TRACKAI_DATABASE"))
		conf_set(CONF_DATABASE, url, "DATABASE_URL");
	if (getenv("NO_COLOR") && *getenv("NO_COLOR"))
		conf_set(CONF_COLOR, "never", "NO_COLOR");
}

static enum ta_rc read_flags(int *argc, char **argv, struct ta_err *err)
{
	int keep = 1;
	for (int i = 1; i < *argc; i++) {
		size_t n = strcspn(argv[i], "=");
		int k = 0;
		while (k < CONF_COUNT && !(rows[k].flag && strlen(rows[k].flag) == n &&
						 memcmp(rows[k].flag, argv[i], n) == 0))
			k++;
		if (k == CONF_COUNT) {
			argv[keep++] = argv[i];
			continue;
		}
		bool joined = argv[i][n] == '=';
		if (k == CONF_ASCII) {
			conf_set(CONF_ASCII, joined ? argv[i] + n + 1 : "1", "flag");
			continue;
		}
		const char *value = joined ? argv[i] + n + 1 : i + 1 < *argc ? argv[++i] : NULL;
		if (!value)
			return ta_fail(err, TA_USAGE, "%s needs a value", rows[k].flag);
		conf_set((enum conf_key)k, value, "flag");
	}
	argv[keep] = NULL;
	*argc = keep;
	return TA_OK;
}

static enum ta_rc read_files(const struct look *look, struct ta_err *err)
{
	char path[512];
	enum ta_rc rc = read_file("/etc/trackai/trackai.conf", look, err);
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (base && *base)
		snprintf(path, sizeof(path), "%s/trackai/trackai.conf", base);
	else
		snprintf(path, sizeof(path), "%s/.config/trackai/trackai.conf", home ? home : "");
	return rc ? rc : read_file(path, look, err);
}

enum ta_rc conf_load(int *argc, char **argv, struct ta_err *err)
{
	enum ta_rc rc = read_files(NULL, err);
	if (!rc) {
		read_environment();
		rc = read_flags(argc, argv, err);
	}
	return rc;
}

enum ta_rc conf_again(enum conf_key k, char *out, size_t n, struct ta_err *err)
{
	const char *origin = conf_origin(k);
	bool fixed = strcmp(origin, "flag") == 0 || strcmp(origin, rows[k].env) == 0;
	snprintf(out, n, "%s", fixed ? conf_get(k) : rows[k].def);
	return fixed ? TA_OK : read_files(&(struct look){k, out, n}, err);
}

bool conf_is_secret(enum conf_key k)
{
	return k == CONF_ALERT_SECRET || k == CONF_SMTP_PASSWORD;
}

enum ta_rc conf_secret(enum conf_key k, char *out, size_t n, struct ta_err *err)
{
	char path[300], *line = NULL;
	size_t size = 0;
	enum ta_rc rc = conf_again(k, out, n, err);
	if (rc || *out != '@')
		return rc;
	snprintf(path, sizeof(path), "%s", out + 1);
	FILE *f = fopen(path, "re");
	ssize_t got = f ? getline(&line, &size, f) : -1;
	while (got > 0 && strchr("\r\n", line[got - 1]))
		line[--got] = '\0';
	if (got <= 0)
		rc = ta_fail(err, TA_CONFIG, "%s: there is no text in the file %.100s",
			rows[k].word, path);
	else if ((size_t)got >= n)
		rc = ta_fail(err, TA_CONFIG,
			"%s: the first line of %.100s is longer than %zu bytes", rows[k].word, path,
			n - 1);
	else
		memcpy(out, line, (size_t)got + 1);
	if (line)
		crypto_wipe(line, size);
	free(line);
	if (f)
		fclose(f);
	return rc;
}

bool conf_has_database(void)
{
	static const char *const pg[] = {
		"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE"};
	if (*conf_get(CONF_DATABASE))
		return true;
	for (size_t i = 0; i < TA_COUNT(pg); i++) {
		const char *value = getenv(pg[i]);
		if (value && *value)
			return true;
	}
	return false;
}

const char *conf_data_dir(void)
{
	static char path[512];
	const char *set = conf_get(CONF_DATA), *xdg = getenv("XDG_DATA_HOME"),
		   *home = getenv("HOME");
	if (*set)
		return set;
	if (geteuid() == 0)
		return "/var/lib/trackai";
	if (xdg && *xdg)
		snprintf(path, sizeof(path), "%s/trackai", xdg);
	else
		snprintf(path, sizeof(path), "%s/.local/share/trackai", home ? home : "");
	return path;
}

const char *conf_key_dir(void)
{
	static char path[600];
	if (*conf_get(CONF_KEY_DIR))
		return conf_get(CONF_KEY_DIR);
	snprintf(path, sizeof(path), "%s/keys", conf_data_dir());
	return path;
}

enum ta_rc conf_bytes(enum conf_key k, int64_t *out, struct ta_err *err)
{
	static const struct {
		const char *unit;
		int64_t n;
	} units[] = {{"", 1}, {"B", 1}, {"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000},
		{"TB", INT64_C(1000000000000)}, {"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30},
		{"T", INT64_C(1) << 40}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
		{"TiB", INT64_C(1) << 40}};
	const char *text = conf_get(k);
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	for (size_t i = 0; !errno && end != text && v >= 0 && i < TA_COUNT(units); i++)
		if (strcasecmp(units[i].unit, end + strspn(end, " ")) == 0 &&
			v <= INT64_MAX / units[i].n) {
			*out = v * units[i].n;
			return TA_OK;
		}
	return ta_fail(err, TA_CONFIG, "%s (%s): \"%.40s\" is not a size such as 1GiB",
		rows[k].word, conf_origin(k), text);
}

enum ta_rc conf_address(const char *text, char host[64], int *port, struct ta_err *err)
{
	const char *colon = strrchr(text, ':');
	char *end = NULL;
	long p = colon ? strtol(colon + 1, &end, 10) : 0;
	size_t n = colon ? (size_t)(colon - text) : 0;
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (!colon || !end || end == colon + 1 || *end || p < 0 || p > 65535 || n == 0 || n > 63)
		return ta_fail(err, TA_CONFIG,
			"\"%.60s\" is no address:port such as 127.0.0.1:8090", text);
	memcpy(host, text, n);
	host[n] = '\0';
	*port = (int)p;
	return TA_OK;
}
