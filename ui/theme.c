#include "ui/theme.h"

#include "src/attr.h"

#include <ncurses.h>

static struct {
	bool colour, ascii;
} theme;

/* Colour (-1: the terminal's own) and attributes with colours; attributes without. */
static const struct {
	short colour;
	attr_t with, without;
} styles[ST_COUNT] = {
	[ST_TEXT] = {-1, A_NORMAL, A_NORMAL},
	[ST_DIM] = {-1, A_DIM, A_NORMAL},
	[ST_STRONG] = {-1, A_BOLD, A_BOLD},
	[ST_TITLE] = {-1, A_BOLD, A_BOLD},
	[ST_HERE] = {-1, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},
	[ST_KEY] = {-1, A_BOLD, A_BOLD},
	[ST_HEAD] = {-1, A_UNDERLINE, A_UNDERLINE},
	[ST_OK] = {COLOR_GREEN, A_NORMAL, A_NORMAL},
	[ST_WARN] = {COLOR_MAGENTA, A_NORMAL, A_BOLD},
	[ST_BAD] = {COLOR_RED, A_BOLD, A_BOLD},
	[ST_OFF] = {-1, A_DIM, A_NORMAL},
	[ST_BADGE_OK] = {COLOR_GREEN, A_REVERSE, A_REVERSE},
	[ST_BADGE_OFF] = {COLOR_MAGENTA, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},
	[ST_BADGE_BAD] = {COLOR_RED, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},
	[ST_HIT] = {COLOR_MAGENTA, A_REVERSE, A_REVERSE},
};

static const char *const glyphs[GL_COUNT][2] = {
	[GL_OK] = {"✓", "+"},
	[GL_BAD] = {"✗", "x"},
	[GL_RETRY] = {"↻", "~"},
	[GL_WAIT] = {"·", "."},
	[GL_OFF] = {"–", "-"},
	[GL_WARN] = {"!", "!"},
	[GL_RULE] = {"─", "-"},
	[GL_DOTS] = {"…", ">"},
	[GL_SELECT] = {">", ">"},
	[GL_ARROW] = {"→", "->"},
};

void theme_start(bool colour, bool ascii)
{
	theme.ascii = ascii;
	theme.colour = colour && has_colors();
	if (!theme.colour)
		return;
	start_color();
	use_default_colors();
	for (int i = 0; i < ST_COUNT; i++)
		if (styles[i].colour >= 0)
			init_pair((short)(i + 1), styles[i].colour, -1);
}

bool theme_ascii(void)
{
	return theme.ascii;
}

void theme_set(enum style st, bool selected)
{
	bool paint = theme.colour && styles[st].colour >= 0 && !selected;
	attr_t a = theme.colour ? styles[st].with : styles[st].without;
	/* On a reversed line dim text vanishes and a second reverse would undo the first. */
	if (selected)
		a = (a & A_BOLD) | A_REVERSE;
	attr_set(a, paint ? (short)(st + 1) : 0, NULL);
}

const char *theme_glyph(enum glyph g)
{
	return glyphs[g][theme.ascii];
}

const char *theme_step(int n, bool vertical)
{
	static const char *const up[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const along[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
	static const char *const plain_up[] = {" ", "_", ".", ":", "-", "=", "+", "*", "#"};
	static const char *const plain_along[] = {" ", " ", " ", " ", "-", "-", "=", "=", "#"};
	n = n < 0 ? 0 : n > 8 ? 8 : n;
	if (theme.ascii)
		return vertical ? plain_up[n] : plain_along[n];
	return vertical ? up[n] : along[n];
}
