#include "ui/term.h"

#include "src/buf.h"
#include "src/clock.h"
#include "ui/mouse.h"
#include "ui/theme.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#define SYNC_START "\033[?2026h"
#define SYNC_END   "\033[?2026l"
#define MARK       (sizeof(SYNC_START) - 1)
#define COPY_MAX   8192
#define MOUSE_US   INT64_C(200000) /* a report that takes longer is none */

enum { MOUSE_SGR = TERM_MOUSE + 1, MOUSE_OLD }; /* introducers, never given away */

/* Buttons and wheel (1000), in the form that knows more than 223 columns (1006). */
#define MOUSE_ON  "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"

/* What a crash must undo, in one prepared string. */
static const char reset_text[] =
	"\033[?2026l\033[?2004l\033[?1000l\033[?1006l\033[?1l\033>\033[?25h"
	"\033[0m\033[?1049l\r\n";

static struct {
	bool open;
	SCREEN *screen;
	WINDOW *keys; /* a pad: reading from it never refreshes the screen */
	int tty;      /* non-blocking, our own open file of the terminal */
	int mem;      /* collects a frame */
	struct termios found;
	struct buf rest; /* what a slow terminal has not taken yet */
	size_t sent;
	bool has_mouse, mouse; /* the terminal may have one; reports are asked for */
	bool in_report;
	int64_t report_us;
	struct mouse_parser parser;
	struct mouse_event event;
} term;

static void on_crash(int sig)
{
	ssize_t ignored = write(STDOUT_FILENO, reset_text, sizeof(reset_text) - 1);
	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &term.found);
	raise(sig); /* SA_RESETHAND: the default action now */
}

static void watch_crashes(bool on)
{
	static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
	struct sigaction a = {.sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
	a.sa_handler = on ? on_crash : SIG_DFL;
	sigemptyset(&a.sa_mask);
	for (size_t i = 0; i < TA_COUNT(signals); i++)
		sigaction(signals[i], &a, NULL);
}

static enum ta_rc check(struct ta_err *err)
{
	const char *name = getenv("TERM");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return ta_fail(err, TA_USAGE,
			"the console needs a terminal on its input and output; use `trackai console "
			"--once` for one plain frame");
	if (!name || !*name || strcmp(name, "dumb") == 0)
		return ta_fail(err, TA_USAGE,
			"TERM is %s: the console cannot place anything on such a terminal; set TERM "
			"(xterm-256color fits most) or use `trackai console --once`",
			name && *name ? name : "not set");
	return TA_OK;
}

static bool wants_colour(const char *colour)
{
	const char *no = getenv("NO_COLOR");
	if (strcmp(colour, "always") == 0)
		return true;
	return strcmp(colour, "never") != 0 && !(no && *no);
}

static void extra_modes(bool on)
{
	const char *text = on ? (term.mouse ? "\033[?2004h" MOUSE_ON : "\033[?2004h")
			      : (term.mouse ? "\033[?2004l" MOUSE_OFF : "\033[?2004l");
	ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));
	(void)ignored;
}

/* The controlling terminal, when it is the one that we write to. Everybody may open it, also who is
 * not the owner of the device: under root the console runs as another user. */
static int open_controlling(void)
{
	struct stat out;
	unsigned device = 0; /* as the kernel writes it: 32 bits */
	int fd = open("/dev/tty", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(STDOUT_FILENO, &out) == 0 && ioctl(fd, TIOCGDEV, &device) == 0 &&
		device == out.st_rdev)
		return fd;
	close(fd);
	return -1;
}

static void open_output(void)
{
	const char *name = ttyname(STDOUT_FILENO);
	term.tty = name ? open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
	if (term.tty < 0)
		term.tty = open_controlling();
	if (term.tty < 0)
		term.tty = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	term.mem = memfd_create("frame", MFD_CLOEXEC);
	if (term.tty < 0 || term.mem < 0)
		ta_die("cannot open the terminal a second time: %s", strerror(errno));
}

enum ta_rc term_open(const char *colour, bool ascii, struct ta_err *err)
{
	enum ta_rc rc = check(err);
	if (rc)
		return rc;
	tcgetattr(STDIN_FILENO, &term.found);
	if (!getenv("ESCDELAY"))
		set_escdelay(25);
	/* newterm() leaves memory behind when it knows nothing of the terminal: ask before. */
	int known = 0;
	if (setupterm(NULL, STDOUT_FILENO, &known) == OK) {
		del_curterm(cur_term);
		term.screen = newterm(NULL, stdout, stdin);
	}
	if (!term.screen)
		return ta_fail(err, TA_USAGE,
			"there is no description of the terminal \"%.40s\" here; set TERM to one that "
			"is (xterm, screen, linux)",
			getenv("TERM"));
	watch_crashes(true);
	term.open = true;
	buf_init(&term.rest, 1 << 20);
	open_output();
	raw();
	noecho();
	nonl();
	curs_set(0);
	typeahead(-1);
	intrflush(NULL, FALSE);
	term.keys = newpad(1, 1);
	keypad(term.keys, TRUE);
	nodelay(term.keys, TRUE);
	define_key("\033[200~", TERM_PASTE_START);
	define_key("\033[201~", TERM_PASTE_END);
	const char *kmous = tigetstr("kmous");
	term.has_mouse = kmous && kmous != (char *)-1;
	if (term.has_mouse) {
		define_key("\033[<", MOUSE_SGR);
		define_key("\033[M", MOUSE_OLD);
	}
	theme_start(wants_colour(colour), ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
	/* Until the first endwin()/refresh() pair the library flushes at every cursor move. */
	endwin();
	refresh();
	extra_modes(true);
	return TA_OK;
}

/* A frame that a slow terminal took only in part ends here: whatever sequence was cut is cancelled,
 * the synchronised update closed. */
static void drop_rest(void)
{
	static const char cancel[] = "\030" SYNC_END;
	if (!term_pending())
		return;
	buf_clear(&term.rest);
	term.sent = 0;
	ssize_t ignored = write(STDOUT_FILENO, cancel, sizeof(cancel) - 1);
	(void)ignored;
}

void term_close(void)
{
	if (!term.open)
		return;
	term.open = false;
	drop_rest();
	extra_modes(false);
	/* A terminal without an alternate screen would keep our last frame. */
	if (!tigetstr("smcup") || tigetstr("smcup") == (char *)-1) {
		clear();
		refresh();
	}
	curs_set(1);
	endwin();
	delwin(term.keys);
	delscreen(term.screen);
	tcsetattr(STDIN_FILENO, TCSANOW, &term.found);
	watch_crashes(false);
	close(term.tty);
	close(term.mem);
	buf_release(&term.rest);
}

bool term_pending(void)
{
	return term.rest.len > 0;
}

int term_out_fd(void)
{
	return term.tty;
}

void term_flush(void)
{
	while (term.sent < term.rest.len) {
		ssize_t n = write(term.tty, term.rest.p + term.sent, term.rest.len - term.sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		term.sent += (size_t)n;
	}
	buf_clear(&term.rest);
	term.sent = 0;
}

size_t term_frame(void)
{
	if (term_pending())
		return 0;
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (saved < 0 || ftruncate(term.mem, 0) || lseek(term.mem, 0, SEEK_SET) < 0)
		ta_die("cannot collect a frame: %s", strerror(errno));
	dup2(term.mem, STDOUT_FILENO);
	doupdate();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	off_t size = lseek(term.mem, 0, SEEK_END);
	if (size <= 0)
		return 0;
	buf_adds(&term.rest, SYNC_START);
	char *to = buf_room(&term.rest, (size_t)size);
	if (to && pread(term.mem, to, (size_t)size, 0) == (ssize_t)size)
		buf_grew(&term.rest, (size_t)size);
	buf_adds(&term.rest, SYNC_END);
	size_t bytes = term.rest.len;
	term_flush();
	return bytes;
}

static int read_key(void)
{
	wint_t c;
	int rc = wget_wch(term.keys, &c);
	if (rc == ERR)
		return -1;
	return rc == KEY_CODE_YES ? TERM_KEY((int)c) : (int)c;
}

/* A key within a report; true when it was the report's, *key then being 0 or the whole report. */
static bool takes_report(int *key)
{
	term.in_report = term.in_report && clock_mono_us() - term.report_us < MOUSE_US;
	if (!term.in_report)
		return false;
	enum mouse_step step = mouse_take(&term.parser, *key, &term.event);
	term.in_report = step == MOUSE_MORE;
	/* What breaks a report off is noise, unless it is a key of its own kind. */
	if (step == MOUSE_BAD && (*key < ' ' || *key >= TERM_KEY(0)))
		return false;
	*key = step == MOUSE_DONE ? TERM_KEY(TERM_MOUSE) : 0;
	return true;
}

int term_key(void)
{
	int key;
	while ((key = read_key()) >= 0) {
		bool sgr = key == TERM_KEY(MOUSE_SGR);
		if (takes_report(&key)) {
			if (key)
				return key;
		} else if (sgr || key == TERM_KEY(MOUSE_OLD)) {
			mouse_begin(&term.parser, sgr);
			term.in_report = true;
			term.report_us = clock_mono_us();
		} else {
			return key;
		}
	}
	return -1;
}

const struct mouse_event *term_mouse_event(void)
{
	return &term.event;
}

void term_mouse(bool on)
{
	if (on == term.mouse || !term.has_mouse)
		return;
	term.mouse = on;
	buf_adds(&term.rest, on ? MOUSE_ON : MOUSE_OFF);
	term_flush();
}

void term_bell(void)
{
	buf_addc(&term.rest, '\a');
	term_flush();
}

void term_resize(void)
{
	struct winsize ws;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col)
		resizeterm(ws.ws_row, ws.ws_col);
	clearok(curscr, TRUE);
}

void term_repaint(void)
{
	clearok(curscr, TRUE);
}

void term_leave(void)
{
	drop_rest();
	extra_modes(false);
	curs_set(1);
	endwin();
	tcsetattr(STDIN_FILENO, TCSANOW, &term.found);
}

void term_return(void)
{
	refresh();
	curs_set(0);
	extra_modes(true);
	term_resize();
}

void term_suspend(void)
{
	term_leave();
	raise(SIGSTOP);
	term_return();
}

bool term_copy(const char *text, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (n > COPY_MAX || term_pending())
		return false;
	buf_adds(&term.rest, "\033]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = 0;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < n ? (unsigned char)text[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			buf_addc(&term.rest, i + k > n ? '=' : digits[v >> (18 - 6 * k) & 63]);
	}
	buf_addc(&term.rest, '\a');
	term_flush();
	return true;
}
