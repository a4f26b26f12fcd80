# SPDX-License-Identifier: GPL-2.0-only
# gdb: look at actors that do not run. A waiting actor's stack lies in the world, whatever
# carries it; gdb shows only the carrier. Rests on the frame that switch.S leaves (x86-64).
#
#   (gdb) source sim/engine/septsim-gdb.py
#   (gdb) septsim actors
#   (gdb) septsim bt vCPU1
import gdb

SAVED = ["r15", "r14", "r13", "r12", "rbp", "rbx", "rip"]	# from actor->sp upwards


def world():
	return gdb.parse_and_eval("(struct world *)0x200000000000")


def actors():
	w = world()
	return [w["actor"][i] for i in range(int(w["nactors"]))]


class Septsim(gdb.Command):
	"""septsim actors | septsim bt ACTOR: the simulated threads and where they stand."""

	def __init__(self):
		super().__init__("septsim", gdb.COMMAND_STACK)

	def invoke(self, arg, tty):
		words = arg.split()
		if words == ["actors"]:
			self.list()
		elif len(words) == 2 and words[0] == "bt":
			self.backtrace(words[1])
		else:
			raise gdb.GdbError("septsim actors | septsim bt ACTOR")

	def list(self):
		states = ["ready", "blocked", "parked", "done"]
		for a in actors():
			site = a["pending"]["site"]
			where = site["func"].string() + "()" if site else "-"
			print("%-12s %-8s clock %-10d %s" % (a["name"].string(),
				states[int(a["state"])], int(a["clock"]), where))

	def backtrace(self, name):
		found = [a for a in actors() if a["name"].string() == name]
		if not found:
			raise gdb.GdbError("no actor %s" % name)
		if int(gdb.parse_and_eval("(long)sim_self")) == int(found[0]):
			gdb.execute("bt")
			return
		frame = int(found[0]["sp"])
		gdb.newest_frame().select()
		keep = {r: int(gdb.parse_and_eval("$" + r)) for r in SAVED + ["rsp"]}
		for i, r in enumerate(SAVED):
			gdb.execute("set $%s = *(unsigned long *)%d" % (r, frame + 8 * i))
		gdb.execute("set $rsp = %d" % (frame + 8 * len(SAVED)))
		try:
			gdb.execute("bt")
		finally:
			for r, v in keep.items():
				gdb.execute("set $%s = %d" % (r, v))


Septsim()
