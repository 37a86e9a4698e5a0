#include "src/opt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct opt *find(const struct opt *opts, const char *word, size_t n)
{
	for (; opts->name; opts++)
		if (strlen(opts->name) == n && memcmp(opts->name, word, n) == 0)
			return opts;
	return NULL;
}

static enum ta_rc set(const struct opt *o, const char *value, struct ta_err *err)
{
	char *end;
	if (o->type == OPT_STR || o->type == OPT_YES) {
		*(const char **)o->out = value;
		return TA_OK;
	}
	errno = 0;
	long v = strtol(value, &end, 10);
	if (errno || end == value || *end)
		return ta_fail(
			err, TA_USAGE, "--%s: \"%.40s\" is not a whole number", o->name, value);
	*(long *)o->out = v;
	return TA_OK;
}

static bool yes_or_no(const char *word)
{
	return word && (strcmp(word, "true") == 0 || strcmp(word, "false") == 0);
}

/* What the option at argv[*i] is given, NULL: nothing; *i moves to it. */
static const char *value_of(const struct opt *o, char **argv, int argc, int *i)
{
	const char *equals = strchr(argv[*i], '=');
	if (equals)
		return equals + 1;
	const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;
	if (o->type == OPT_YES && !yes_or_no(next))
		return "true";
	*i += next != NULL;
	return next;
}

enum ta_rc opt_parse(int *argc, char **argv, const struct opt *opts, struct ta_err *err)
{
	int keep = 1, i = 1;
	for (; i < *argc; i++) {
		const char *a = argv[i];
		if (strcmp(a, "--") == 0) {
			i++;
			break;
		}
		if (strncmp(a, "--", 2) != 0) {
			argv[keep++] = argv[i];
			continue;
		}
		size_t n = strcspn(a + 2, "=");
		const struct opt *o = find(opts, a + 2, n);
		if (!o)
			return ta_fail(err, TA_USAGE,
				"%s: unknown option %.60s; see trackai help %s", argv[0], a,
				argv[0]);
		if (o->type == OPT_FLAG) {
			*(bool *)o->out = true;
			continue;
		}
		const char *value = value_of(o, argv, *argc, &i);
		if (!value)
			return ta_fail(err, TA_USAGE, "%s: --%s needs a value", argv[0], o->name);
		enum ta_rc rc = set(o, value, err);
		if (rc)
			return rc;
	}
	while (i < *argc)
		argv[keep++] = argv[i++];
	argv[keep] = NULL;
	*argc = keep;
	return TA_OK;
}
