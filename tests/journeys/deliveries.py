"""Deliveries in the shapes vendors send them, written for these tests."""

from __future__ import annotations

from typing import Any


def web_shell(number: int = 1, host: str = "web-01") -> dict[str, Any]:
    """A Wazuh file-integrity alert: a script was added where visitors upload pictures."""
    path = f"/var/www/html/uploads/picture{number}.php"
    return {
        "timestamp": "2026-11-20T09:14:07.532+0000",
        "rule": {
            "level": 12,
            "description": "New PHP file with web shell functions in a web root",
            "id": "100201",
            "firedtimes": 1,
            "groups": ["syscheck", "syscheck_entry_added", "web_shell"],
            "mitre": {"id": ["T1505.003"], "tactic": ["Persistence"], "technique": ["Web Shell"]},
        },
        "agent": {"id": "014", "name": host, "ip": "10.20.4.11"},
        "manager": {"name": "wazuh-mgr-1"},
        "id": f"1795166047.{number}",
        "full_log": f"File '{path}' added\nMode: realtime\n",
        "syscheck": {
            "path": path,
            "mode": "realtime",
            "event": "added",
            "size_after": "3121",
            "uname_after": "www-data",
        },
        "decoder": {"name": "syscheck_new_entry"},
        "location": "syscheck",
    }


def brute_force(number: int = 1) -> dict[str, Any]:
    """A Wazuh alert about repeated failed logins, from a different address for each number."""
    address = f"198.18.{number // 250 % 250}.{number % 250 + 1}"
    return {
        "timestamp": "2026-11-20T22:41:55.004+0000",
        "rule": {
            "level": 10,
            "description": "sshd: brute force trying to get access to the system.",
            "id": "5763",
            "groups": ["syslog", "sshd", "authentication_failures"],
            "mitre": {"id": ["T1110"], "tactic": ["Credential Access"], "technique": ["Brute Force"]},
        },
        "agent": {"id": "021", "name": f"bastion-{number:05}", "ip": "10.20.0.5"},
        "id": f"1795214515.{number}",
        "full_log": f"sshd[20331]: Failed password for invalid user oracle from {address} port 41022 ssh2",
        "data": {"srcip": address, "srcuser": "oracle"},
        "location": "/var/log/auth.log",
    }
