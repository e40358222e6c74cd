# A libtorrent session in a process of its own, driven over its standard input by torrents.ts: a word in JSON on each line, an answer for each.
#   {"do": "make", "file": F, "torrent": T, "pieceBytes": N}     writes a torrent of a file
#   {"do": "seed", "torrent": T, "folder": D}                    serves a file that is there; it is not checked again
#   {"do": "fetch", "torrent": T, "folder": D, "ports": [..]}    answers when the file is complete and verified
#   {"do": "sent"} {"do": "drop"}                                bytes of content sent since the last drop; forgets the torrent
import json, os, sys, time
import libtorrent as lt

up_limit = int(sys.argv[1])
settings = lt.high_performance_seed() if sys.argv[2] == 'tuned' else lt.default_settings()
settings.update({
    'listen_interfaces': '127.0.0.1:0', 'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_utp': False, 'enable_outgoing_utp': False, 'allow_multiple_connections_per_ip': True, 'upload_rate_limit': up_limit,
    'out_enc_policy': 2, 'in_enc_policy': 2, 'alert_mask': 0,
})
session = lt.session(settings)
# Addresses of this machine are not limited unless told so.
everybody = lt.ip_filter()
everybody.add_rule('0.0.0.0', '255.255.255.255', 1 << int(lt.session.global_peer_class_id))
session.set_peer_class_filter(everybody)
handle = None

def run(word):
    global handle
    what = word['do']
    if what == 'make':
        files = lt.file_storage()
        lt.add_files(files, word['file'])
        torrent = lt.create_torrent(files, piece_size=word['pieceBytes'], flags=lt.create_torrent.v1_only)
        lt.set_piece_hashes(torrent, os.path.dirname(word['file']))
        with open(word['torrent'], 'wb') as out:
            out.write(lt.bencode(torrent.generate()))
    if what in ('seed', 'fetch'):
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info(word['torrent'])
        params.save_path = word['folder']
        params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
        if what == 'seed':
            params.flags |= lt.torrent_flags.seed_mode
        handle = session.add_torrent(params)
    if what == 'fetch':
        for port in word['ports']:
            handle.connect_peer(('127.0.0.1', port))
        while not handle.status().is_seeding:
            time.sleep(0.005)
    if what == 'sent':
        return {'bytes': handle.status().total_payload_upload}
    if what == 'drop':
        session.remove_torrent(handle)
    return {}

print(json.dumps({'port': session.listen_port()}), flush=True)
for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
