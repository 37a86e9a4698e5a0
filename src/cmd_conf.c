/* trackai conf: every setting with its value and where it comes from. */
#include "src/cmd.h"
#include "src/conf.h"
#include "src/opt.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

int cmd_conf(int argc, char **argv)
{
	bool json = false;
	struct ta_err err = {0};
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	if (opt_parse(&argc, argv, opts, &err))
		return cmd_fail("conf", &err);
	json_t *all = json_object();
	for (int i = 0; i < CONF_COUNT; i++) {
		enum conf_key k = (enum conf_key)i;
		bool secret = k == CONF_DATABASE && strstr(conf_get(k), "password");
		const char *value = secret ? "(holds a password)" : conf_get(k);
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
