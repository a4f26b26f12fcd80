#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# The output that README.md shows is what the program prints now, byte for byte.
# readme_true.py SEPTSIM ROOT [--put]; --put writes it into README.md.
import os
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
with open(root + "/README.md") as f:
	parts = f.read().split("```\n")
race = "scenarios/races/a01-zap-map-desync.scn"
printed = subprocess.run([septsim, "run", "--mail", race], cwd=root, text=True,
			 stdout=subprocess.PIPE, check=True).stdout
if sys.argv[3:] == ["--put"]:
	with open(root + "/README.md", "w") as f:
		f.write("```\n".join([parts[0], printed, *parts[2:]]))
elif parts[1] != printed:
	sys.stdout.write(printed)
	sys.exit("README.md shows another output of %s than the above: run readme_true.py --put" % race)
