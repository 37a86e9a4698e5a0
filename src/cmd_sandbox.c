/* trackai sandbox: a loopback stand-in for the platforms. */
#include "net/sandbox.h"
#include "src/cmd.h"
#include "src/conf.h"
#include "src/opt.h"

#include <string.h>

int cmd_sandbox(int argc, char **argv)
{
	struct sandbox_ask ask = {0};
	struct ta_err err = {0};
	const struct opt opts[] = {{"fault", OPT_STR, &ask.faults, "faults to inject"},
		{"tls", OPT_STR, &ask.tls_dir, "https with an authority of its own"}, {0}};
	if (opt_parse(&argc, argv, opts, &err))
		return cmd_fail("sandbox", &err);
	if (argc > 1) {
		(void)ta_fail(&err, TA_USAGE,
			"takes no argument \"%.60s\"; see trackai help sandbox", argv[1]);
		return cmd_fail("sandbox", &err);
	}
	/* The setting is the listener's address: only the flag speaks of this server. */
	bool given = strcmp(conf_origin(CONF_LISTEN), "flag") == 0;
	ask.listen = given ? conf_get(CONF_LISTEN) : SANDBOX_LISTEN;
	return sandbox_run(&ask, &err) ? cmd_fail("sandbox", &err) : 0;
}
