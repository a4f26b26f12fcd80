#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# The output that README.md shows is what the program prints now, byte for byte.
import os
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
with open(root + "/README.md") as f:
	shown = f.read().split("```\n")[1]
race = "scenarios/races/a01-zap-map-desync.scn"
printed = subprocess.run([septsim, "run", "--mail", race], cwd=root, text=True,
			 stdout=subprocess.PIPE, check=True).stdout
if shown != printed:
	sys.stdout.write(printed)
	sys.exit("README.md shows another output of %s than the above: put this one in" % race)
