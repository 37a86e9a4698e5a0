/* trackai pixel: destination accounts; hold, release and test are orders to the dispatcher. */
#include "src/cmd_pixel.h"

#include "db/audit.h"
#include "db/command.h"
#include "db/conn.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_history.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An order to the dispatcher. */
struct order {
	const char *kind;
	long rate; /* of a release */
};

static enum ta_rc order(struct db *db, const struct order *what, const struct table_row *row,
	struct arena *mem, const char **answer, struct ta_err *err)
{
	const char *kind = what->kind;
	json_t *args = json_pack("{s:I}", "pixel", (json_int_t)row->id);
	if (strcmp(kind, COMMAND_PIXEL_HOLD) == 0)
		json_object_set_new(args, "reason", json_string("operator"));
	else if (what->rate)
		json_object_set_new(args, "rate", json_integer(what->rate));
	char *text = json_dumps(args, JSON_COMPACT);
	struct command c = {.actor = audit_actor(), .kind = kind, .args = text};
	enum ta_rc rc = command_post(db, &c, err);
	if (!rc)
		rc = command_wait(db, c.id, mem, answer, err);
	free(text);
	json_decref(args);
	return rc;
}

static int run(int argc, char **argv, const char *kind)
{
	bool json = false;
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct table_row row;
	const char *answer = "";
	struct order what = {.kind = kind};
	bool release = strcmp(kind, COMMAND_PIXEL_RELEASE) == 0;
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"},
		{release ? "rate" : NULL, OPT_INT, &what.rate,
			"of what waited so many events a second at most"},
		{0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && (what.rate < 0 || what.rate > PIXEL_RATE_MAX))
		rc = ta_fail(&err, TA_USAGE, "--rate: %ld is not between 0 (no limit) and %d",
			what.rate, PIXEL_RATE_MAX);
	if (!rc)
		rc = cmd_db_ready("pixel", &db, &err);
	if (!rc)
		rc = cmd_table_row(db, table_get("pixel"), argv[2], &mem, &row, &err);
	if (!rc)
		rc = order(db, &what, &row, &mem, &answer, &err);
	if (!rc && json)
		out_json(json_pack("{s:o, s:s}", "id", out_id(row.id), "answer", answer));
	else if (!rc)
		printf("pixel %lld: %s\n", (long long)row.id, *answer ? answer : "done");
	int status = rc ? cmd_fail("pixel", &err) : 0;
	db_close(db);
	arena_release(&mem);
	return status;
}

int cmd_pixel(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "hold") == 0)
		return run(argc, argv, COMMAND_PIXEL_HOLD);
	if (argc > 1 && strcmp(argv[1], "release") == 0)
		return run(argc, argv, COMMAND_PIXEL_RELEASE);
	if (argc > 1 && strcmp(argv[1], "test") == 0)
		return pixel_test(argc, argv);
	if (argc > 1 && strcmp(argv[1], "circuit") == 0)
		return pixel_circuit(argc, argv);
	int status = cmd_history(argc, argv);
	if (status < 0)
		status = cmd_table(argc, argv);
	return status >= 0 ? status : cmd_verb_fail(argc, argv);
}
