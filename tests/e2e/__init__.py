"""The whole of Stalewatch as processes of its own, on the lab's caches."""
