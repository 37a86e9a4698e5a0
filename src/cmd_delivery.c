/* trackai delivery: events at their pixels. */
#include "src/cmd_delivery.h"

#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_event.h"

#include <stdio.h>
#include <string.h>

enum ta_rc delivery_span(const char *text, int64_t *us, struct ta_err *err)
{
	char back[40];
	struct ta_err why;
	int64_t now = clock_now_us(), then = now;
	snprintf(back, sizeof(back), "-%.30s", text); /* "2h" is as long as "-2h" is ago */
	if (text[0] == '-' || clock_parse_when(back, &then, &why) || then >= now)
		return ta_fail(
			err, TA_USAGE, "\"%.40s\" is no duration; write 90s, 30m, 2h or 3d", text);
	*us = now - then;
	return TA_OK;
}

const char *delivery_at(int64_t us, char out[32])
{
	clock_format(us / US_PER_S * US_PER_S, out);
	return out;
}

static bool asks(int argc, char **argv, const char *option)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], option) == 0)
			return true;
	return false;
}

static int list(int argc, char **argv)
{
	if (asks(argc, argv, "--expiring"))
		return delivery_expiring(argc - 1, argv + 1);
	if (asks(argc, argv, "--dead"))
		return delivery_dead(argc - 1, argv + 1);
	return delivery_list(argc - 1, argv + 1);
}

int cmd_delivery(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "list") == 0)
		return list(argc, argv);
	if (argc > 1 && strcmp(argv[1], "release") == 0)
		return delivery_release(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "retry") == 0)
		return delivery_retry(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "replay") == 0)
		return delivery_replay(argc - 1, argv + 1);
	return cmd_verb_fail(argc, argv);
}
