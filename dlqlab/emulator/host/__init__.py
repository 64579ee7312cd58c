"""The harness's side: starting, finding and stopping emulators, their folders, and the fidelity card."""
