/* trackai: the first word is the role, like git. */
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_up.h"
#include "src/conf.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args, *help;
} commands[] = {
#define CMD(fn, name, args, help) {name, cmd_##fn, args, help},
#include "src/cmd.def"
#undef CMD
};

int cmd_verb_fail(int argc, char **argv)
{
	const char *verbs = "";
	for (size_t i = 0; i < TA_COUNT(commands); i++)
		if (strcmp(commands[i].name, argv[0]) == 0)
			verbs = commands[i].args;
	if (argc < 2)
		fprintf(stderr, "trackai %s: which verb? %s\n", argv[0], verbs);
	else
		fprintf(stderr, "trackai %s: no verb \"%.40s\"; there are %s\n", argv[0], argv[1],
			verbs);
	return 2;
}

static int help(const char *word)
{
	bool all = !word, found = all;
	if (all)
		puts("usage: trackai [COMMAND] [OPTION ...]\n");
	for (size_t i = 0; i < TA_COUNT(commands); i++)
		if (all || strcmp(commands[i].name, word) == 0) {
			printf("  trackai %s %s\n      %s\n", commands[i].name, commands[i].args,
				commands[i].help);
			found = true;
		}
	if (!found)
		fprintf(stderr, "trackai: no command \"%s\"; trackai help lists them\n", word);
	return found ? 0 : 2;
}

/* Without a command: the console; when no database is named, on a private one with serve beside it,
 * which goes on when the console is left, because webhooks must not be lost then. */
static int plain(char **argv)
{
	struct ta_err err = {0};
	bool private = !conf_has_database();
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fputs("trackai: the console needs a terminal; trackai help lists the commands\n",
			stderr);
		return 2;
	}
	if (private && up_default(&err))
		return cmd_fail("up", &err);
	int status = cmd_console(1, argv);
	if (private)
		puts("serve goes on in the background; trackai down stops it");
	return status;
}

/* A terminal often asks for a UTF-8 locale that a small machine never generated (SSH passes LANG
 * on); C.UTF-8 is always there and draws the same lines. */
static void set_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *asked = NULL;
	if (setlocale(LC_ALL, ""))
		return;
	for (size_t i = 0; i < TA_COUNT(names) && !(asked && *asked); i++)
		asked = getenv(names[i]);
	if (asked && (strcasestr(asked, "utf-8") || strcasestr(asked, "utf8")))
		(void)setlocale(LC_ALL, "C.UTF-8");
}

int main(int argc, char **argv)
{
	struct ta_err err = {0};
	set_locale();
	setlocale(LC_NUMERIC, "C"); /* numbers are data: 1.5 is read and written with a point */
	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0)) {
		puts("trackai " TA_VERSION);
		return 0;
	}
	if (argc > 1 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0))
		return help(argc > 2 ? argv[2] : NULL);
	if (conf_load(&argc, argv, &err) || clock_init(conf_get(CONF_CLOCK), &err))
		return cmd_fail("conf", &err);
	if (argc == 1)
		return plain(argv);
	for (size_t i = 0; i < TA_COUNT(commands); i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "trackai: no command \"%s\"; trackai help lists them\n", argv[1]);
	return 2;
}
