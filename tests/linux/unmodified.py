#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What was compiled is what the tree has: the checksums of septsim --version against its files.

And what is asked of a tree says whose KVM answered.
"""
import hashlib
import json
import subprocess
import sys
from pathlib import Path

WHOLE = ('arch/x86/kvm/mmu/tdp_mmu.c', 'arch/x86/kvm/mmu/tdp_iter.c', 'arch/x86/kvm/mmu/spte.c',
         'arch/x86/kvm/mmu/mmu.c', 'arch/x86/kvm/vmx/tdx.c', 'arch/x86/virt/vmx/tdx/tdx.c',
         'virt/kvm/kvm_main.c', 'virt/kvm/guest_memfd.c')

RACE = Path(__file__).parents[2] / 'scenarios/races/a01-zap-map-desync.scn'


def main(septsim, tree):
    out = subprocess.run([septsim, '--version'], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in out.splitlines()]
    said = {w[1]: w[0] for w in rows if len(w) == 2 and len(w[0]) == 64}
    bad = [f'{f} is not compiled' for f in WHOLE if f not in said]
    for name, checksum in said.items():
        if hashlib.sha256((Path(tree) / name).read_bytes()).hexdigest() != checksum:
            bad.append(f'{name} is not what was compiled')
    for command in 'run', 'explore':
        done = subprocess.run([septsim, command, '--kvm', 'linux', '--json', str(RACE)],
                              capture_output=True, text=True)
        for case in json.loads(done.stdout)['cases']:
            if not case['backend'].startswith('linux '):
                bad.append(f"{command} --json says that {case['backend']} was played")
    print('\n'.join(bad) or f'{len(said)} files, as they are in the tree')
    return bool(bad)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
