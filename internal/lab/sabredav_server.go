package lab

// sabreServer puts the library's parts together.
const sabreServer = `<?php
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
ini_set('display_errors', '0');
require 'Sabre/autoload.php';
$pdo = new PDO('sqlite:' . getenv('LAB_DATABASE'));
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
class LabBasic extends Sabre\DAV\Auth\Backend\AbstractBasic {
    public $pdo;
    protected function validateUserPass($user, $password) {
        $row = $this->pdo->prepare('SELECT digesta1 FROM users WHERE username = ?');
        $row->execute(array($user));
        return $row->fetchColumn() === md5($user . ':lab:' . $password);
    }
}
// What is shared, as Apple's server has it: the library leaves the storing to
// those who build on it.
class LabCalendars extends Sabre\CalDAV\Backend\PDO implements Sabre\CalDAV\Backend\SharingSupport {
    private function run($sql, $values) {
        $done = $this->pdo->prepare($sql);
        $done->execute($values);
        return $done;
    }
    function updateShares($calendar, array $add, array $remove) {
        foreach ($remove as $href) $this->run('DELETE FROM shares WHERE calendarid = ? AND href = ?', array($calendar, $href));
        foreach ($add as $share) {
            $this->run('DELETE FROM shares WHERE calendarid = ? AND href = ?', array($calendar, $share['href']));
            $this->run('INSERT INTO shares (calendarid, href, commonname, readonly, status, uri) VALUES (?, ?, ?, ?, ?, ?)',
                array($calendar, $share['href'], $share['commonName'], $share['readOnly'] ? 1 : 0, Sabre\CalDAV\SharingPlugin::STATUS_NORESPONSE, 'shared-' . $calendar));
        }
    }
    function getShares($calendar) {
        $out = array();
        foreach ($this->run('SELECT href, commonname, readonly, status FROM shares WHERE calendarid = ?', array($calendar)) as $row)
            $out[] = array('href' => $row['href'], 'commonName' => $row['commonname'], 'readOnly' => $row['readonly'] == 1, 'status' => (int)$row['status'], 'summary' => null);
        return $out;
    }
    function shareReply($href, $status, $calendar, $inReplyTo, $summary = null) {
        $this->run('UPDATE shares SET status = ? WHERE href = ?', array($status, $href));
        return null;
    }
    function setPublishStatus($calendar, $value) {}
    function getNotificationsForPrincipal($principal) { return array(); }
    function deleteNotification($principal, Sabre\CalDAV\Notifications\INotificationType $notification) {}
    function getCalendarsForUser($principal) {
        $out = parent::getCalendarsForUser($principal);
        $given = $this->run('SELECT c.id, c.uri, c.principaluri, s.readonly, s.uri AS shared FROM shares s JOIN calendars c ON c.id = s.calendarid JOIN principals p ON s.href = \'mailto:\' || p.email WHERE p.uri = ? AND s.status = ?',
            array($principal, Sabre\CalDAV\SharingPlugin::STATUS_ACCEPTED));
        foreach ($given->fetchAll() as $row) foreach (parent::getCalendarsForUser($row['principaluri']) as $calendar) {
            if ($calendar['id'] != $row['id']) continue;
            $calendar['{http://calendarserver.org/ns/}shared-url'] = 'calendars/' . basename($row['principaluri']) . '/' . $row['uri'];
            $calendar['{http://sabredav.org/ns}owner-principal'] = $row['principaluri'];
            $calendar['{http://sabredav.org/ns}read-only'] = $row['readonly'] == 1;
            $calendar['uri'] = $row['shared'];
            $calendar['principaluri'] = $principal;
            $out[] = $calendar;
        }
        return $out;
    }
}
$auth = new Sabre\DAV\Auth\Backend\PDO($pdo);
if (isset($_SERVER['PHP_AUTH_USER'])) {
    $auth = new LabBasic();
    $auth->pdo = $pdo;
}
$principals = new Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$server = new Sabre\DAV\Server(array(
    new Sabre\CalDAV\Principal\Collection($principals),
    new Sabre\CalDAV\CalendarRootNode($principals, new LabCalendars($pdo)),
    new Sabre\CardDAV\AddressBookRoot($principals, new Sabre\CardDAV\Backend\PDO($pdo)),
));
$server->setBaseUri('/');
$server->addPlugin(new Sabre\DAV\Auth\Plugin($auth, 'lab'));
$server->addPlugin(new Sabre\DAVACL\Plugin());
$server->addPlugin(new Sabre\CalDAV\Plugin());
$server->addPlugin(new Sabre\CalDAV\SharingPlugin());
$server->addPlugin(new Sabre\CardDAV\Plugin());
$server->exec();
`
