/* trackai, trackai console: the operators' screen. */
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/conf.h"
#include "src/opt.h"
#include "net/replay_dest.h"
#include "ui/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `console events state=failed` is one line of the console's `:`. */
static void join(int argc, char **argv, struct buf *out)
{
	for (int i = 1; i < argc; i++) {
		if (i > 1)
			buf_addc(out, ' ');
		buf_adds(out, argv[i]);
	}
}

/* Where the user's state lives (XDG Base Directory Specification); "" without a home. */
static void history_path(char out[600])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	out[0] = '\0';
	if (state && *state == '/')
		snprintf(out, 600, "%.500s/trackai/history", state);
	else if (home && *home == '/')
		snprintf(out, 600, "%.500s/.local/state/trackai/history", home);
}

int cmd_console(int argc, char **argv)
{
	bool once = false, no_mouse = false;
	long width = 80, height = 24;
	char log[600], history[600];
	const char *at = NULL;
	struct buf view = BUF_INIT(512);
	struct ta_err err = {0};
	struct loop_options o = {
		.place = "", .dests = replay_dests(), .colour = conf_get(CONF_COLOR)};
	const struct opt opts[] = {{"once", OPT_FLAG, &once, "print one plain frame and exit"},
		{"width", OPT_INT, &width, "columns of that frame"},
		{"height", OPT_INT, &height, "lines of that frame"},
		{"at", OPT_STR, &at, "look at that moment: 10:31, yesterday 22:00, -2h"},
		{"no-mouse", OPT_FLAG, &no_mouse, "leave the mouse to the terminal"}, {0}};
	if (opt_parse(&argc, argv, opts, &err) || cmd_database(&o.database, &err))
		return cmd_fail("console", &err);
	if (at && (clock_parse_when(at, &o.at_us, &err) || o.at_us >= clock_now_us())) {
		if (!err.rc)
			(void)ta_fail(&err, TA_USAGE, "%.60s has not come yet", at);
		(void)ta_err_prefix(&err, "--at");
		return cmd_fail("console", &err);
	}
	const char *ascii = conf_get(CONF_ASCII);
	o.ascii = *ascii && strcmp(ascii, "0") != 0;
	o.mouse = !no_mouse && strcmp(conf_get(CONF_MOUSE), "off") != 0;
	o.bell = strcmp(conf_get(CONF_BELL), "off") != 0;
	join(argc, argv, &view);
	o.view = buf_str(&view);
	snprintf(log, sizeof(log), "%.500s/log/console.log", conf_data_dir());
	o.log = log;
	history_path(history);
	o.history = history;
	width = width < 20 ? 20 : width > 400 ? 400 : width;
	height = height < 5 ? 5 : height > 200 ? 200 : height;
	enum ta_rc rc =
		once ? console_once(&o, (int)width, (int)height, &err) : console_run(&o, &err);
	buf_release(&view);
	return rc ? cmd_fail("console", &err) : 0;
}
