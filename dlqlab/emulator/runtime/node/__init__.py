"""Node.js functions: which Node.js runs them, AWS's runtime client and SDK for them, and how a process starts."""
