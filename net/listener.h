/* The listener: one HTTP thread around libmicrohttpd that checks and hands over, one writer thread
 * that commits, one keeper for everything else. Nothing is answered 200 before it is durable. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

struct role;

#define LISTENER_CONNECTIONS 16384

/* Serves CONF_LISTEN until told to stop; returns the exit status. */
int listener_run(const struct role *role);

#endif
