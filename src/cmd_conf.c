/* trackai conf: every setting with its value and where it comes from. */
#include "src/cmd.h"
#include "src/conf.h"
#include "src/opt.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* "password=" of a conninfo, or postgresql://user:password@host. */
static bool holds_password(const char *conninfo)
{
	const char *user = strstr(conninfo, "://"), *at = user ? strchr(user + 3, '@') : NULL;
	const char *colon = at ? memchr(user + 3, ':', (size_t)(at - user - 3)) : NULL;
	return colon || strstr(conninfo, "password");
}

/* Puts the derived values where the settings are empty, so that what is printed is what holds. */
static void derive(void)
{
	char text[600];
	if (!conf_has_database()) {
		snprintf(text, sizeof(text), "private, in %.500s", conf_data_dir());
		conf_set(CONF_DATABASE, text, "default");
	} else if (!*conf_get(CONF_DATABASE)) {
		conf_set(CONF_DATABASE, "", "PG* of the environment");
	}
	if (!*conf_get(CONF_KEY_DIR))
		conf_set(CONF_KEY_DIR, conf_key_dir(), "default");
	if (!*conf_get(CONF_DATA))
		conf_set(CONF_DATA, conf_data_dir(), "default");
}

int cmd_conf(int argc, char **argv)
{
	bool json = false;
	struct ta_err err = {0};
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	if (opt_parse(&argc, argv, opts, &err))
		return cmd_fail("conf", &err);
	derive();
	json_t *all = json_object();
	for (int i = 0; i < CONF_COUNT; i++) {
		enum conf_key k = (enum conf_key)i;
		bool secret = k == CONF_DATABASE && holds_password(conf_get(k));
		const char *value = secret ? "(holds a password)" : conf_get(k);
		if (conf_is_secret(k) && *value && *value != '@')
			value = "(set)";
		if (json)
			json_object_set_new(all, conf_word(k),
				json_pack("{s:s, s:s}", "value", value, "origin", conf_origin(k)));
		else
			printf("%-17s %-46s %s\n", conf_word(k), value, conf_origin(k));
	}
	if (json) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(all);
	return 0;
}
