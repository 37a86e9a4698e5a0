"""How long deliveries of sound pixels take beside a sick one: shared by the test and the bench."""
import subprocess
import time

from delivering import PUT
from lib import Cluster, Program, Sandbox, free_port, pg_bin, wait_until

# What ails the third pixel: no server, one that takes its time, one that never answers, one that throttles.
SICK = {"dead": None, "slow": "pinterest:latency=4s", "hanging": "pinterest:hang",
        "throttled": "pinterest:rate_limit=2"}
SOUND = ("meta", "tiktok")


def feed(cluster, rate, seconds):
    """Orders at a steady rate, each received when it is put in; returns their number."""
    psql = subprocess.Popen([pg_bin() + "/psql", "-XqAt", "-h", cluster.dir, "-U", "trackai", "-d", "trackai"],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    begun, sent, last = time.monotonic(), 0, 0
    while time.monotonic() - begun < seconds:
        due = int((time.monotonic() - begun) * rate)
        if due > sent:
            last = max(time.time_ns() // 1000, last + 1)
            psql.stdin.write(f"BEGIN; SELECT t_put(1, {sent + 1}, {due - sent}, {last}, 5, 'b#@example.com'); "
                             "NOTIFY route; COMMIT;\n")
            psql.stdin.flush()
            sent = due
        time.sleep(0.01)
    psql.stdin.close()
    psql.wait()
    return sent


def measure(ill, rate, seconds):
    """(p95 from receipt to verdict, p95 of the exchange) in ms at the sound pixels; ill: a key of SICK, None:
    nothing ails the third pixel."""
    sandbox = Sandbox(fault=",".join(filter(None, ["meta:latency=20ms,tiktok:latency=20ms", ill and SICK[ill]])))
    urls = dict(sandbox.urls)
    if ill == "dead":
        urls["TRACKAI_PINTEREST_URL"] = f"http://127.0.0.1:{free_port()}/v5"
    cluster = Cluster()
    p = Program(cluster, **urls)
    try:
        p.run("migrate")
        cluster.sql(PUT)
        p.run("store", "add", "--name", "shop", "--platform", "shopify", "--domain", "shop.myshopify.com",
              "--webhook-secret", "s", "--currency", "EUR")
        for platform in (*SOUND, "pinterest"):
            p.run("pixel", "add", "--store", "shop", "--platform", platform, "--account", "1234567", "--token", "t")
        p.start("serve", "--roles", "dispatcher")
        p.active("dispatcher")
        sent = feed(cluster, rate, seconds)
        sound = "pixel_id IN (1, 2)"
        wait_until(lambda: cluster.sql(f"SELECT count(*) FROM verdict WHERE {sound} AND after >= 3")[0][0] == str(2 * sent),
                   what="the sound pixels' verdicts")
        failed = cluster.sql("SELECT count(*) FROM verdict WHERE pixel_id = 3 AND after IN (3, 4)")[0][0]
        if ill and ill != "slow" and failed != "0":
            raise AssertionError(f"the {ill} pixel was not ill: {failed} deliveries")
        whole = cluster.sql("SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY v.at_us - e.received_us) FROM verdict v "
                            f"JOIN event e ON e.id = v.event_id WHERE v.{sound}")[0][0]
        send = cluster.sql(f"SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY ms) FROM attempt WHERE {sound}")[0][0]
        return int(whole) / 1000, float(send)
    finally:
        p.destroy()
        sandbox.stop()
        cluster.destroy()
